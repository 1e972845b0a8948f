// What a dashboard of a project is, by Grafana's own types; in JSON an enumeration is its values.
import type { Dashboard, DataQuery, DataSourceRef, Panel, RowPanel } from '@grafana/schema';
import type {
  FieldConfig,
  Options,
} from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

type Plain<T> = T extends string
  ? `${T}`
  : T extends number | boolean | null | undefined
    ? T
    : T extends Array<infer Item>
      ? Array<Plain<Item>>
      : T extends object
        ? { [Key in keyof T]: Plain<T[Key]> }
        : T;

// Prometheus' own query is in no package of types: these are the fields that are used.
interface Query extends DataQuery {
  datasource: DataSourceRef;
  expr: string;
  legendFormat: string;
  range: boolean;
}

type Timeseries = Omit<Panel<never, Partial<FieldConfig>>, 'options' | 'targets' | 'type'> & {
  type: 'timeseries';
  options: Options;
  targets: Query[];
};

export type Shown = Plain<Omit<Dashboard, 'panels'> & { panels: Array<Timeseries | RowPanel> }>;
