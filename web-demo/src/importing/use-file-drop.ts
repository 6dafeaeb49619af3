import { useEffect, useState } from 'react';

/** Files dropped anywhere on the window. True while some are held over it. */
export function useFileDrop(onFiles: (files: readonly File[]) => void): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const abort = new AbortController();
    const listen = (type: 'dragover' | 'dragleave' | 'drop', handle: (event: DragEvent) => void): void => {
      window.addEventListener(type, (event) => event.dataTransfer?.types.includes('Files') && handle(event), { signal: abort.signal });
    };
    listen('dragover', (event) => {
      // Without this the browser would open the file instead.
      event.preventDefault();
      setOver(true);
    });
    listen('dragleave', (event) => event.relatedTarget === null && setOver(false));
    listen('drop', (event) => {
      event.preventDefault();
      setOver(false);
      onFiles([...(event.dataTransfer?.files ?? [])]);
    });
    return () => abort.abort();
  }, [onFiles]);
  return over;
}
