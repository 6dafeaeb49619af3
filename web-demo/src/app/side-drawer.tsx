import { CloseButton, Drawer } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './side-drawer.module.css';

interface Props {
  opened: boolean;
  onClose: () => void;
  title: string;
  position?: 'left' | 'right';
  size?: number;
  children: ReactNode;
}

/** A titled panel that slides in over the page. The focus stays in it until it closes, and then goes back to where it was. */
export function SideDrawer({ opened, onClose, title, position = 'right', size = 520, children }: Props) {
  return (
    <Drawer.Root opened={opened} onClose={onClose} position={position} size={size}>
      <Drawer.Overlay backgroundOpacity={0.25} />
      <Drawer.Content aria-label={title} classNames={{ content: classes['content']! }}>
        <div className={classes['bar']}>
          <h2 className={classes['title']}>{title}</h2>
          <CloseButton size="lg" aria-label="Close" onClick={onClose} />
        </div>
        <div className={classes['body']}>{children}</div>
      </Drawer.Content>
    </Drawer.Root>
  );
}
