import { ActionIcon, Group, NativeSelect, Tooltip } from '@mantine/core';
import { IconArrowsMaximize, IconMinus, IconPlus, IconRefresh } from '@tabler/icons-react';
import { useStore } from '@terndb/react';
import { type ReactNode, useMemo, useRef, useState } from 'react';
import { formatCount } from '../app/format.ts';
import type { View } from '../browse/view-state.ts';
import { useLibrary } from '../library/library-context.tsx';
import { type ColourField, colourBy } from './colours.ts';
import classes from './map.module.css';
import { MapCanvas } from './map-canvas.tsx';
import { MapLegend } from './map-legend.tsx';
import { MapStatus } from './map-status.tsx';
import { NearestList } from './nearest-list.tsx';
import { standsOut } from './stands-out.ts';
import { type MeaningMap as Drawn, type MeaningMapHandle, useMeaningMap } from './use-meaning-map.ts';
import { NEAR_SHOWN, useQueryPlace } from './use-query-place.ts';
import { useViewport } from './use-viewport.ts';
import { pointsNear } from './viewport.ts';

interface Props {
  view: View;
  onOpen: (key: string) => void;
}

/** The library as a map: passages that mean alike lie near each other, and the question is a point among them. The default export is what `lazy` loads. */
export default function MeaningMap({ view, onOpen }: Props) {
  const handle = useMeaningMap();
  const { map } = handle;
  const waiting = useStore(useLibrary().embedding).waiting;
  return (
    <section className={classes['map']} aria-label="Map of meaning">
      <div className={classes['status']}>
        <MapStatus handle={handle} />
        {waiting > 0 && (
          <span className={classes['soft']}>
            {formatCount(waiting, 'passage')} not read for meaning yet: draw the map again when they are.
          </span>
        )}
      </div>
      {map !== null && <Explorer view={view} map={map} handle={handle} onOpen={onOpen} />}
    </section>
  );
}

const FIELDS: readonly { value: ColourField; label: string }[] = [
  { value: 'topic', label: 'Colour by topic' },
  { value: 'kind', label: 'Colour by kind' },
  { value: 'source', label: 'Colour by source' },
];
const BUTTON_FACTOR = 1.5;

function Explorer({ view, map, handle, onOpen }: Props & { map: Drawn; handle: MeaningMapHandle }) {
  const pane = useRef<HTMLDivElement>(null);
  const viewport = useViewport(pane, map.places);
  const [field, setField] = useState<ColourField>('topic');
  const [emphasised, setEmphasised] = useState<ReadonlySet<number>>(new Set());
  const [pointed, setPointed] = useState<number | null>(null);
  const colouring = useMemo(() => colourBy(map.points.map((point) => point[field])), [map.points, field]);
  const singledOut = standsOut(map.points, { colouring, emphasised, view });
  const query = useQueryPlace(view, map);
  const { size } = viewport;
  const middle = { x: size.width / 2, y: size.height / 2 };
  const near =
    query?.near ??
    pointsNear(viewport.view, map.places, { at: middle, count: NEAR_SHOWN, reachPx: size.width + size.height }).map((index) => ({ index }));
  const toggle = (entry: number): void =>
    setEmphasised((old) => new Set(old.has(entry) ? [...old].filter((other) => other !== entry) : [...old, entry]));
  return (
    <>
      <Group className={classes['tools']!} gap="xs">
        <NativeSelect
          aria-label="Colour by"
          size="xs"
          data={FIELDS}
          value={field}
          onChange={(event) => {
            setField(event.currentTarget.value as ColourField);
            setEmphasised(new Set());
          }}
        />
        <Tool label="Zoom in" onClick={() => viewport.zoom(BUTTON_FACTOR)}>
          <IconPlus size={16} />
        </Tool>
        <Tool label="Zoom out" onClick={() => viewport.zoom(1 / BUTTON_FACTOR)}>
          <IconMinus size={16} />
        </Tool>
        <Tool label="Show the whole map" onClick={viewport.reset}>
          <IconArrowsMaximize size={16} />
        </Tool>
        <Tool label="Draw the map again" onClick={handle.draw}>
          <IconRefresh size={16} />
        </Tool>
        <span className={classes['soft']} data-testid="map-count">
          {countText(map)}
        </span>
      </Group>
      <MapLegend colouring={colouring} emphasised={emphasised} onToggle={toggle} />
      <div className={classes['body']}>
        <MapCanvas
          pane={pane}
          map={map}
          viewport={viewport}
          scene={{
            colouring,
            standsOut: singledOut,
            pointed,
            query: query === null ? null : { place: query.place, label: query.label, near: query.near.map(({ index }) => index) },
          }}
          onPoint={setPointed}
          onOpen={onOpen}
        />
        <NearestList
          title={query === null ? 'In the middle of the map' : `Nearest to “${query.label}”`}
          map={map}
          near={near}
          onPoint={setPointed}
          onOpen={onOpen}
        />
      </div>
    </>
  );
}

function countText({ points, of }: Drawn): string {
  return points.length === of
    ? `All ${formatCount(of, 'passage')}`
    : `A sample: ${formatCount(points.length)} of ${formatCount(of, 'passage')}`;
}

function Tool({ label, onClick, children }: { label: string; onClick: () => void; children: ReactNode }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="default" size={30} aria-label={label} onClick={onClick}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
