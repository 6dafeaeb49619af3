import { Center, Loader, Stack, Text } from '@mantine/core';

export function Opening() {
  return (
    <Center h="100dvh">
      <Stack align="center" gap="xs" role="status">
        <Loader aria-hidden="true" />
        <Text c="var(--ink-soft)">Opening your library…</Text>
      </Stack>
    </Center>
  );
}
