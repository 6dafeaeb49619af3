import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { IconAdjustmentsHorizontal, IconChartBar, IconFileImport, IconPlus } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useImport } from '../importing/import-context.tsx';
import { SyncButton } from '../sync/sync-button.tsx';
import { ColorSchemeButton } from './color-scheme-button.tsx';
import classes from './shell.module.css';
import { TernLogo } from './tern-logo.tsx';

interface Props {
  /** The search field. */
  children: ReactNode;
  onNewNote: () => void;
  onInsights: () => void;
  onSync: () => void;
  onFilters: () => void;
  filterCount: number;
}

export function Header({ children, onNewNote, onInsights, onSync, onFilters, filterCount }: Props) {
  const { chooseFiles, running } = useImport();
  return (
    <header className={classes['header']}>
      <h1 className={classes['brand']}>
        <TernLogo size={38} />
        <span className={classes['wordmark']}>Tern Library</span>
      </h1>
      <div className={classes['search']}>{children}</div>
      <div className={classes['actions']}>
        <IconButton label={filterCount === 0 ? 'Filters' : `Filters: ${filterCount} on`} onClick={onFilters} onlyNarrow>
          <IconAdjustmentsHorizontal size={20} stroke={1.6} />
        </IconButton>
        <Button className={classes['newNote']!} leftSection={<IconPlus size={18} />} onClick={onNewNote}>
          New note
        </Button>
        <IconButton label="New note" onClick={onNewNote} onlyNarrow>
          <IconPlus size={20} stroke={1.6} />
        </IconButton>
        <IconButton label="Import files" onClick={chooseFiles} disabled={running !== null}>
          <IconFileImport size={20} stroke={1.6} />
        </IconButton>
        <SyncButton onClick={onSync} />
        <IconButton label="Library and storage" onClick={onInsights}>
          <IconChartBar size={20} stroke={1.6} />
        </IconButton>
        <ColorSchemeButton />
      </div>
    </header>
  );
}

interface IconButtonProps {
  label: string;
  onClick: () => void;
  children: ReactNode;
  disabled?: boolean;
  onlyNarrow?: boolean;
}

function IconButton({ label, onClick, children, disabled = false, onlyNarrow = false }: IconButtonProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon
        className={onlyNarrow ? classes['narrow']! : ''}
        variant="subtle"
        color="gray"
        size="lg"
        aria-label={label}
        disabled={disabled}
        onClick={onClick}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
