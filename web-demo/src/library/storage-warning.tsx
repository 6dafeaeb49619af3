import { Alert } from '@mantine/core';
import { useStore } from '@terndb/react';
import { useLibrary } from './library-context.tsx';

/** Says so when what is written here will not stay. */
export function StorageWarning() {
  const storage = useStore(useLibrary().storage);
  const warning = warningOf(storage);
  if (warning === null) return null;
  return (
    <Alert color="bill" radius={0} title={warning.title} role="alert">
      {warning.text}
    </Alert>
  );
}

function warningOf(storage: { mode: string; state: string; lossDetected: boolean }): { title: string; text: string } | null {
  if (storage.mode === 'memory') {
    return {
      title: 'Nothing is kept',
      text: 'This browser gives the page no storage (a private window, perhaps). The library works, and is gone when the tab closes: export what you need.',
    };
  }
  if (storage.state === 'full') return { title: 'Storage is full', text: 'New writes are refused until there is room on this device.' };
  if (storage.lossDetected)
    return {
      title: 'The browser removed the library',
      text: 'It was here before and the browser has since deleted its data. Asking it to keep the data (Library and storage) makes that unlikely.',
    };
  return null;
}
