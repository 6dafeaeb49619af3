import { registerSW } from 'virtual:pwa-register';
import { notifications } from '@mantine/notifications';
import { ActionMessage } from '../app/action-message.tsx';

/** Makes the app work offline from the second visit on, and offers a newer build instead of forcing it on an open edit. */
export function registerServiceWorker(): void {
  const update = registerSW({
    onNeedRefresh: () => {
      notifications.show({
        autoClose: false,
        message: <ActionMessage text="A new version is ready." action="Reload" onAction={() => void update(true)} />,
      });
    },
  });
}
