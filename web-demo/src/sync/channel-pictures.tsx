import type { Inspection } from '@terndb/client';
import { formatBytes, formatCount } from '../app/format.ts';
import { Section } from '../insights/section.tsx';
import { useInspection } from '../insights/use-inspection.ts';
import classes from './sync.module.css';

type Channel = Inspection['partitions'][number];

/** Of each log that this device follows: sealed segments, the tail after them, and what is still to be sent. */
export function ChannelPictures({ isShared, outbox }: { isShared: boolean; outbox: number }) {
  const inspection = useInspection(outbox);
  if (inspection === null) return null;
  const hint = isShared
    ? 'The server seals the log into segments, and devices download those same files; the tail after them is followed write by write.'
    : 'Writes gather in a tail and are sealed into segments.';
  return (
    <Section title="The log on this device" hint={hint}>
      {inspection.partitions.map((channel) => (
        <ChannelPicture key={`${channel.collection} ${channel.partition}`} channel={channel} />
      ))}
    </Section>
  );
}

function ChannelPicture({ channel }: { channel: Channel }) {
  const { collection, partition, segments, growing, pending, position, leader, entities, hash } = channel;
  const rows = segments.reduce((sum, segment) => sum + segment.rows, 0);
  const deleted = segments.reduce((sum, segment) => sum + segment.deleted, 0);
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const dead = deleted === 0 ? '' : `, ${formatCount(deleted)} deleted or replaced`;
  const sealed =
    segments.length === 0
      ? 'Nothing sealed yet'
      : `Sealed: ${formatCount(segments.length, 'segment')} of ${formatBytes(bytes)}, ${formatCount(rows, 'row')}${dead}`;
  const tail = `Tail: ${formatCount(growing, 'row')}`;
  const unsent = `Unsent: ${formatCount(pending, 'write')}`;
  return (
    <figure className={classes['channel']}>
      <figcaption>
        <strong>{partition === '_default' ? collection : `${collection}, ${partition}`}</strong>
        <span>
          {formatCount(entities, 'row')} at position <span data-position={position}>{formatCount(position)}</span>
        </span>
      </figcaption>
      <div className={classes['strip']} role="img" aria-label={`${sealed}. ${tail}. ${unsent}.`}>
        {segments.map((segment) => (
          <span key={segment.id} data-part="segment" style={{ flexGrow: segment.rows }} title={`Segment ${segment.id}`}>
            <span style={{ width: `${(100 * segment.deleted) / Math.max(1, segment.rows)}%` }} />
          </span>
        ))}
        {growing > 0 && <span data-part="tail" style={{ flexGrow: growing }} />}
        {pending > 0 && <span data-part="unsent" style={{ flexGrow: pending }} />}
      </div>
      <ul className={classes['legend']} aria-hidden="true">
        <li data-part="segment">{sealed}</li>
        <li data-part="tail">{tail}</li>
        {leader === 'server' && <li data-part="unsent">{unsent}</li>}
      </ul>
      {leader === 'server' && (
        <p className={classes['hash']}>
          Hash of these rows: <code>{hash}</code>, the same on every device at this position.
        </p>
      )}
    </figure>
  );
}
