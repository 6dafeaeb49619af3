import { Button, Rating } from '@mantine/core';
import type { Dispatch } from 'react';
import { topicLabel } from '../app/format.ts';
import type { Facets } from '../library/facets.ts';
import { FacetList } from './facet-list.tsx';
import classes from './filters.module.css';
import { filterCount, type ListFilter, type View, type ViewAction } from './view-state.ts';

interface Props {
  facets: Facets;
  view: View;
  dispatch: Dispatch<ViewAction>;
}

export function Filters({ facets, view, dispatch }: Props) {
  const toggle = (filter: ListFilter) => (value: string) => dispatch({ type: 'toggle', filter, value });
  const setStars = (stars: number): void => dispatch({ type: 'minStars', minStars: stars });
  return (
    <>
      {filterCount(view) > 0 && (
        <Button variant="default" size="xs" mb="md" fullWidth onClick={() => dispatch({ type: 'clearFilters' })}>
          Clear filters
        </Button>
      )}
      <FacetList title="Topic" facets={facets.topics} chosen={view.topics} label={topicLabel} onToggle={toggle('topics')} />
      <FacetList title="Kind" facets={facets.kinds} chosen={view.kinds} onToggle={toggle('kinds')} />
      <fieldset className={classes['section']}>
        <legend className={classes['heading']}>At least</legend>
        <Rating value={view.minStars} allowClear onChange={setStars} getSymbolLabel={(stars) => `At least ${stars} stars`} />
      </fieldset>
      <FacetList title="Source" facets={facets.sources} chosen={view.sources} onToggle={toggle('sources')} />
    </>
  );
}
