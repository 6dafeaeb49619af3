import { expectedOf } from './read-value.ts';
import { flagOf, SETTINGS, type Setting, variableOf } from './settings.ts';

function defaultText(setting: Setting): string {
  const value = setting.default;
  if (value === undefined) return '';
  return typeof value === 'object' ? value.join(',') : String(value);
}

/** The table of docs/configuration.md. */
export function settingsTable(): string {
  const rows = SETTINGS.map((setting) => {
    const flag = setting.isFlag === true ? `\`--${flagOf(setting)}\`` : '';
    const otherwise = defaultText(setting);
    const cells = [`\`${setting.key}\``, `\`${variableOf(setting)}\``, flag, expectedOf(setting.type), otherwise && `\`${otherwise}\``];
    return `| ${[...cells, setting.meaning].join(' | ')} |`;
  });
  return ['| Key | Variable | Flag | Value | Default | Meaning |', '|---|---|---|---|---|---|', ...rows].join('\n');
}

/** The flags, for `--help`. */
export function flagsHelp(): string {
  const flags = SETTINGS.filter(({ isFlag }) => isFlag === true);
  return flags
    .map((setting) => {
      const name = `--${flagOf(setting)}${setting.type.kind === 'boolean' ? '' : ` ${setting.type.kind.toUpperCase()}`}`;
      const otherwise = defaultText(setting);
      const isPlain = otherwise === '' || otherwise === 'false';
      return `  ${name.padEnd(24)} ${setting.meaning.replaceAll('`', '')}${isPlain ? '' : ` Default: ${otherwise}`}`;
    })
    .join('\n');
}
