import { Button, Group, Text } from '@mantine/core';

interface Props {
  text: string;
  action: string;
  onAction: () => void;
}

/** A notification that offers one thing to do. */
export function ActionMessage({ text, action, onAction }: Props) {
  return (
    <Group justify="space-between" wrap="nowrap">
      <Text fz="sm" truncate>
        {text}
      </Text>
      <Button size="compact-sm" variant="default" flex="none" onClick={onAction}>
        {action}
      </Button>
    </Group>
  );
}
