import { IconClockUp } from '@tabler/icons-react';
import classes from './sync.module.css';

/** Beside a passage with writes that only this device has yet. */
export function PendingMark() {
  return (
    <span className={classes['pending']} data-pending role="img" aria-label="Not on the server yet" title="Not on the server yet">
      <IconClockUp size={15} stroke={1.8} aria-hidden="true" />
    </span>
  );
}
