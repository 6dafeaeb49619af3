import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { Suspense } from 'react';
import { ImportProvider } from '../importing/import-context.tsx';
import { LibraryProvider } from '../library/library-context.tsx';
import { SyncProvider } from '../sync/sync-context.tsx';
import { ErrorBoundary } from './error-boundary.tsx';
import { Opening } from './opening.tsx';
import { Shell } from './shell.tsx';
import { theme } from './theme.ts';

export function App() {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <Notifications position="bottom-center" limit={3} />
      <ErrorBoundary>
        <Suspense fallback={<Opening />}>
          <LibraryProvider>
            <SyncProvider>
              <ImportProvider>
                <Shell />
              </ImportProvider>
            </SyncProvider>
          </LibraryProvider>
        </Suspense>
      </ErrorBoundary>
    </MantineProvider>
  );
}
