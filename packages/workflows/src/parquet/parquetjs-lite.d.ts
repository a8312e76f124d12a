/** The few exports of parquetjs-lite 0.8.7 that its encoder uses, as read in that version's source. */
declare module "parquetjs-lite" {
  export interface FieldDefinition {
    readonly type: "UTF8" | "JSON" | "BOOLEAN" | "INT32" | "DOUBLE" | "DATE" | "TIMESTAMP_MILLIS";
    readonly compression: "SNAPPY";
    readonly optional: boolean;
    readonly statistics: false;
  }

  export class ParquetSchema {
    constructor(fields: Record<string, FieldDefinition>);
  }

  export interface ColumnBuffer {
    dlevels: Array<number>;
    rlevels: Array<number>;
    values: Array<string | number | boolean>;
    distinct_values: Set<unknown>;
    count: number;
  }

  export interface RowBuffer {
    rowCount: number;
    pageRowCount: number;
    columnData: Record<string, ColumnBuffer>;
    pages: Record<string, Array<unknown>>;
  }

  export interface EnvelopeOptions {
    readonly pageSize: number;
    readonly useDataPageV2: boolean;
  }

  export class ParquetEnvelopeWriter {
    constructor(
      schema: ParquetSchema,
      write: (bytes: Uint8Array) => void,
      close: () => void,
      fileOffset: number,
      options: EnvelopeOptions,
    );
    readonly offset: number;
    readonly pageSize: number;
    readonly useDataPageV2: boolean;
    writeHeader(): void;
    writeRowGroup(rows: RowBuffer): void;
    writeIndex(): void;
    writeFooter(metadata: Record<string, string>): void;
    close(): void;
  }

  export class ParquetWriter {
    constructor(
      schema: ParquetSchema,
      envelope: Pick<
        ParquetEnvelopeWriter,
        | "writeHeader"
        | "writeRowGroup"
        | "writeIndex"
        | "writeFooter"
        | "close"
        | "pageSize"
        | "useDataPageV2"
      >,
      options: { readonly rowGroupSize: number },
    );
    rowBuffer: RowBuffer;
    close(): Promise<void>;
  }

  /** CommonJS: everything comes with the default export, under Node. */
  const exports: {
    readonly ParquetSchema: typeof ParquetSchema;
    readonly ParquetEnvelopeWriter: typeof ParquetEnvelopeWriter;
    readonly ParquetWriter: typeof ParquetWriter;
  };
  export default exports;
}
