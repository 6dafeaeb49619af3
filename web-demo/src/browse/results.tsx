import { useVirtualizer } from '@tanstack/react-virtual';
import { type Dispatch, type KeyboardEvent, lazy, type Ref, Suspense, useEffect, useImperativeHandle, useRef, useState } from 'react';
import { SAMPLE_NAME } from '../sample/sample-source.ts';
import { ExampleQueries } from './example-queries.tsx';
import { NoResults } from './no-results.tsx';
import { rankingOf } from './request.ts';
import { ResultRow } from './result-row.tsx';
import classes from './results.module.css';
import { ResultsBar } from './results-bar.tsx';
import type { LiveResults } from './use-results.ts';
import { MAX_LIMIT, type View, type ViewAction } from './view-state.ts';

export interface ResultsHandle {
  focusFirst(): void;
}
interface Props {
  ref: Ref<ResultsHandle>;
  results: LiveResults;
  view: View;
  dispatch: Dispatch<ViewAction>;
  /** Passages in the library. */
  total: number;
  onOpen: (key: string) => void;
}

/** Loaded when first looked at. */
const MeaningMap = lazy(() => import('../map/meaning-map.tsx'));

/** Before a row is measured. */
const ROW_HEIGHT_PX = 104;
const OVERSCAN_ROWS = 8;
/** More rows are asked for when the reader is this near to the end. */
const AHEAD_ROWS = 30;

export function Results({ ref, results, view, dispatch, total, onOpen }: Props) {
  const { rows } = results;
  const scrollRef = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const [showsMap, setShowsMap] = useState(false);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scrollRef.current,
    estimateSize: () => ROW_HEIGHT_PX,
    overscan: OVERSCAN_ROWS,
    getItemKey: (index) => rows[index]!.id,
  });
  const items = virtual.getVirtualItems();
  const ranking = rankingOf(view, results.wordsOnly);
  const tabStop = Math.min(active, rows.length - 1);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new question is read from its top, whatever its rows.
  useEffect(() => {
    setActive(0);
    scrollRef.current?.scrollTo({ top: 0 });
  }, [view.text, view.like, view.sort]);

  const lastShown = items.at(-1)?.index ?? 0;
  const wantsMore = rows.length >= view.limit && lastShown > rows.length - AHEAD_ROWS && view.limit < MAX_LIMIT;
  useEffect(() => {
    if (wantsMore) dispatch({ type: 'more' });
  }, [wantsMore, dispatch]);

  const focusRow = (index: number): void => {
    if (index < 0 || index >= rows.length) return;
    setActive(index);
    virtual.scrollToIndex(index);
    // The row may be drawn only after the scroll.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => scrollRef.current?.querySelector<HTMLElement>(`[data-row="${index}"]`)?.focus()),
    );
  };
  useImperativeHandle(ref, () => ({ focusFirst: () => focusRow(0) }));

  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const target = event.key === 'Home' ? 0 : event.key === 'End' ? rows.length - 1 : step === undefined ? undefined : tabStop + step;
    if (target === undefined) return;
    event.preventDefault();
    focusRow(target);
  };

  return (
    <>
      <ResultsBar
        results={results}
        view={view}
        dispatch={dispatch}
        total={total}
        showsMap={showsMap}
        onToggleMap={() => setShowsMap(!showsMap)}
      />
      {!results.ranked && rows.some(({ source }) => source === SAMPLE_NAME) && <ExampleQueries dispatch={dispatch} />}
      {showsMap ? (
        <Suspense>
          <MeaningMap view={view} onOpen={onOpen} />
        </Suspense>
      ) : (
        <>
          {rows.length === 0 && !results.loading && <NoResults view={view} dispatch={dispatch} error={results.error} />}
          <div ref={scrollRef} className={classes['scroll']}>
            {/* The keys move the focus among the rows, which are buttons. */}
            <ul className={classes['list']} style={{ height: virtual.getTotalSize() }} aria-label="Passages" onKeyDown={onKeyDown}>
              {items.map((item) => (
                <li
                  key={item.key}
                  ref={virtual.measureElement}
                  data-index={item.index}
                  className={classes['item']}
                  style={{ transform: `translateY(${item.start}px)` }}
                  aria-setsize={rows.length}
                  aria-posinset={item.index + 1}
                >
                  <ResultRow
                    passage={rows[item.index]!}
                    pending={results.pendingKeys.has(rows[item.index]!.id)}
                    hit={results.hits?.[item.index] ?? null}
                    ranking={ranking}
                    index={item.index}
                    tabIndex={item.index === tabStop ? 0 : -1}
                    onOpen={onOpen}
                  />
                </li>
              ))}
            </ul>
          </div>
        </>
      )}
    </>
  );
}
