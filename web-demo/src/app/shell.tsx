import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { lazy, Suspense, useReducer, useRef, useState } from 'react';
import { EmptyLibrary } from '../browse/empty-library.tsx';
import { Filters } from '../browse/filters.tsx';
import { Results, type ResultsHandle } from '../browse/results.tsx';
import { SearchField } from '../browse/search-field.tsx';
import { useResults } from '../browse/use-results.ts';
import { filterCount, reduceView, START } from '../browse/view-state.ts';
import { DropAnywhere } from '../importing/drop-anywhere.tsx';
import { useImport } from '../importing/import-context.tsx';
import { ImportPanel } from '../importing/import-panel.tsx';
import { StorageWarning } from '../library/storage-warning.tsx';
import { useFacets } from '../library/use-facets.ts';
import { useNewNote } from '../library/use-new-note.ts';
import { PassageDrawer } from '../passage/passage-drawer.tsx';
import { SyncDrawer } from '../sync/sync-drawer.tsx';
import { Header } from './header.tsx';
import { Opening } from './opening.tsx';
import classes from './shell.module.css';
import { SideDrawer } from './side-drawer.tsx';

/** Charts are heavy and seldom looked at: they load when asked for. */
const InsightsDrawer = lazy(() => import('../insights/insights-drawer.tsx'));

export function Shell() {
  const [view, dispatch] = useReducer(reduceView, START);
  const [openKey, setOpenKey] = useState<string | null>(null);
  const [filtersOpen, filters] = useDisclosure(false);
  const [insightsOpen, insights] = useDisclosure(false);
  const [syncOpen, sync] = useDisclosure(false);
  const searchRef = useRef<HTMLInputElement>(null);
  const resultsRef = useRef<ResultsHandle>(null);
  const { running } = useImport();
  const results = useResults(view);
  const facets = useFacets([results.change, openKey, running]);
  const newNote = useNewNote(setOpenKey);
  useHotkeys([['/', () => searchRef.current?.focus()]]);

  if (facets === null) return <Opening />;
  const empty = facets.total === 0 && results.rows.length === 0;
  const panel = <Filters facets={facets} view={view} dispatch={dispatch} />;
  return (
    <div className={classes['shell']} data-empty={empty || undefined}>
      <Header onNewNote={newNote} onInsights={insights.open} onSync={sync.open} onFilters={filters.open} filterCount={filterCount(view)}>
        <SearchField
          ref={searchRef}
          view={view}
          dispatch={dispatch}
          onArrowDown={() => resultsRef.current?.focusFirst()}
          onEnter={() => results.rows[0] && setOpenKey(results.rows[0].id)}
        />
      </Header>
      <nav className={classes['sidebar']} aria-label="Filters">
        {panel}
      </nav>
      <main className={classes['main']}>
        <StorageWarning />
        {empty && running === null ? (
          <EmptyLibrary />
        ) : (
          <Results ref={resultsRef} results={results} view={view} dispatch={dispatch} total={facets.total} onOpen={setOpenKey} />
        )}
      </main>
      <SideDrawer opened={filtersOpen} onClose={filters.close} title="Filters" position="left" size={320}>
        {panel}
      </SideDrawer>
      <PassageDrawer
        openKey={openKey}
        topics={facets.topics}
        onClose={() => setOpenKey(null)}
        onOpen={setOpenKey}
        onMoreLikeThis={(key, title) => {
          setOpenKey(null);
          dispatch({ type: 'like', key, title });
        }}
      />
      <Suspense>
        {insightsOpen && (
          <InsightsDrawer
            facets={facets}
            onClose={insights.close}
            onTopic={(value) => {
              insights.close();
              dispatch({ type: 'clearFilters' });
              dispatch({ type: 'toggle', filter: 'topics', value });
            }}
          />
        )}
      </Suspense>
      <SyncDrawer opened={syncOpen} onClose={sync.close} />
      <ImportPanel />
      <DropAnywhere />
    </div>
  );
}
