import { Button, Center, Stack, Text, Title } from '@mantine/core';
import { Component, type ReactNode } from 'react';

interface Props {
  children: ReactNode;
}
interface State {
  readonly error: Error | null;
}

/** What is shown when the library cannot be opened or the page has a bug: the reason, and the one thing to try. */
export class ErrorBoundary extends Component<Props, State> {
  override readonly state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <Center h="100dvh" p="lg">
        <Stack maw={520} role="alert">
          <Title order={1} size="h2">
            The library could not be opened
          </Title>
          <Text>Nothing in it was changed. Reload the page; if this comes again, the lines below say why.</Text>
          <Text ff="monospace" fz="sm" c="var(--ink-soft)">
            {'code' in error ? `${String(error.code)}: ` : ''}
            {error.message}
          </Text>
          <Button w="fit-content" onClick={() => location.reload()}>
            Reload
          </Button>
        </Stack>
      </Center>
    );
  }
}
