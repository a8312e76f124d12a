/**
 * From a declared schema (an Effect Schema struct) to the columns of its Parquet file.
 *
 * Read is the type side of each field. What a column cannot be is refused when the pipeline is built, with the field's
 * name and what is supported: nothing is guessed, and no rule of the schema is left out. Checks (`Schema.isBetween`,
 * `Schema.isPattern`, ...) are applied to every value.
 *
 *   String, Literals of strings -> text             Boolean -> boolean
 *   Int -> int64, or int32 where its checks say so  BigInt -> int64
 *   Finite, Number -> double                        Date, DateTimeUtc -> timestamp
 *   Column.decimal, Column.date, Column.json        as they say
 *   NullOr(field) -> may be empty                   optionalKey(field) -> may be empty, and missing from the file
 */
import { Option, Result, Schema, SchemaAST } from "effect";
import { columnName, isReservedColumn } from "../csv/Header.ts";
import { type ColumnPlan, decimalPrecisionMax } from "../parquet/ColumnPlan.ts";
import { columnAnnotation, ColumnNote } from "./Column.ts";
import { type CellValue, expectedOf } from "./readCell.ts";
import { toTypeSide } from "./typeSide.ts";

/** A schema for rows: any struct. */
export type RowSchema = Schema.Struct<Schema.Struct.Fields>;

/** A field that no column can hold. Permanent: the declaration must be changed. */
export class ColumnUnsupported extends Schema.TaggedError<ColumnUnsupported>()(
  "ColumnUnsupported",
  { field: Schema.String, found: Schema.String },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `The declared schema's field ${JSON.stringify(this.field)} cannot be a column: ${this.found}. Supported are String, Literals of strings, Boolean, Int, BigInt, Finite, Date, DateTimeUtc, Column.int32, Column.int64, Column.decimal(precision, scale), Column.date, Column.timestamp and Column.json, each also in NullOr or optionalKey.`;
  }
}

/** One column of a declared schema. */
export interface DeclaredColumn {
  readonly plan: ColumnPlan;
  /** Whether a file may lack it. */
  readonly optional: boolean;
  /** Whether a value passes the field's own checks; undefined when it has none beyond its kind. */
  readonly accepts: ((value: CellValue) => boolean) | undefined;
  /** What it takes, in words. */
  readonly expected: string;
  /** A value of the column as the schema's type side has it. */
  readonly typed: (value: CellValue) => unknown;
}

type Kind =
  | { readonly kind: Exclude<ColumnPlan["kind"], "decimal"> }
  | { readonly kind: "decimal"; readonly precision: number; readonly scale: number };

const int32Min = -(2 ** 31);
const int32Max = 2 ** 31 - 1;

/** A field's checks, groups taken apart. */
const flatChecks = (
  checks: ReadonlyArray<SchemaAST.Check<never>>,
): ReadonlyArray<SchemaAST.Filter<never>> =>
  checks.flatMap((check) => (check._tag === "FilterGroup" ? flatChecks(check.checks) : [check]));

const checksOf = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.Filter<never>> =>
  flatChecks(ast.checks ?? []);

const Representation = Schema.Struct({ id: Schema.String, payload: Schema.Unknown });
const decodeRepresentation = Schema.decodeUnknownOption(Representation);
const decodeBounds = Schema.decodeUnknownOption(
  Schema.Struct({ minimum: Schema.Finite, maximum: Schema.Finite }),
);
const decodeNote = Schema.decodeUnknownOption(ColumnNote);

const representation = (annotations: Schema.Annotations.Annotations | undefined) =>
  Option.getOrUndefined(decodeRepresentation(annotations?.["representation"]));

const checkIds = (ast: SchemaAST.AST) =>
  checksOf(ast).map((check) => representation(check.annotations));

/** The annotation of Column, wherever later checks have left it. */
const noteOf = (ast: SchemaAST.AST): unknown =>
  ast.annotations?.[columnAnnotation] ??
  ast.checks
    ?.map((check) => check.annotations?.[columnAnnotation])
    .find((note) => note !== undefined);

const fitsInt32 = (ast: SchemaAST.AST): boolean =>
  checkIds(ast).some((check) => {
    if (check?.id !== "effect/schema/isBetween") return false;
    const bounds = Option.getOrUndefined(decodeBounds(check.payload));
    return bounds !== undefined && bounds.minimum >= int32Min && bounds.maximum <= int32Max;
  });

const kindOfNumber = (ast: SchemaAST.AST): Kind => {
  if (!checkIds(ast).some((check) => check?.id === "effect/schema/isInt"))
    return { kind: "double" };
  return { kind: fitsInt32(ast) ? "int32" : "int64" };
};

const kindOfDeclaration = (ast: SchemaAST.Declaration): Kind | string => {
  const id = representation(ast.annotations)?.id;
  switch (id) {
    case "effect/schema/Date":
    case "effect/schema/DateTimeUtc":
      return { kind: "timestamp" };
    case "effect/schema/BigDecimal":
      return "a BigDecimal without precision and scale; use Column.decimal(precision, scale)";
    default:
      return `it is ${id ?? "a class or declaration of its own"}`;
  }
};

const literalsOf = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.LiteralValue> | undefined => {
  if (SchemaAST.isLiteral(ast)) return [ast.literal];
  if (!SchemaAST.isUnion(ast) || !ast.types.every(SchemaAST.isLiteral)) return undefined;
  return ast.types.filter(SchemaAST.isLiteral).map((literal) => literal.literal);
};

const checkedNote = (note: ColumnNote, ast: SchemaAST.AST): Kind | string => {
  if (note.kind !== "decimal") return note;
  // An annotation can be put on anything.
  if (!SchemaAST.isDeclaration(ast)) return "it has a decimal's note and is no BigDecimal";
  const { precision, scale } = note;
  if (precision < 1 || precision > decimalPrecisionMax || scale < 0 || scale > precision)
    return `decimal(${precision}, ${scale}): the precision is 1 to ${decimalPrecisionMax}, the scale 0 to the precision`;
  return note;
};

/** The kind of a field that is neither nullable nor optional, or why it has none. */
const kindOf = (ast: SchemaAST.AST): Kind | string => {
  const noted = noteOf(ast);
  if (noted !== undefined) {
    const note = decodeNote(noted);
    return Option.isSome(note) ? checkedNote(note.value, ast) : "its column note is not understood";
  }
  const literals = literalsOf(ast);
  if (literals !== undefined)
    return literals.every((literal) => typeof literal === "string")
      ? { kind: "text" }
      : "it has literals that are not text";
  if (SchemaAST.isString(ast)) return { kind: "text" };
  if (SchemaAST.isBoolean(ast)) return { kind: "boolean" };
  if (SchemaAST.isBigInt(ast)) return { kind: "int64" };
  if (SchemaAST.isNumber(ast)) return kindOfNumber(ast);
  if (SchemaAST.isDeclaration(ast)) return kindOfDeclaration(ast);
  if (SchemaAST.isArrays(ast) || SchemaAST.isObjects(ast))
    return "it holds several values; use Column.json";
  return `it is of the type ${ast._tag}`;
};

/** Whether the kind's own rule has made a check already. */
const isImplied = (check: SchemaAST.Filter<never>): boolean => {
  const { id, payload } = representation(check.annotations) ?? {};
  if (id !== "effect/schema/isBetween")
    return id === "effect/schema/isFinite" || id === "effect/schema/isInt";
  const bounds = Option.getOrUndefined(decodeBounds(payload));
  return bounds?.minimum === int32Min && bounds.maximum === int32Max;
};

/** Whether a point in time is a Date, and not a DateTime. */
const isDateField = (ast: SchemaAST.AST): boolean =>
  SchemaAST.isDeclaration(ast) && representation(ast.annotations)?.id.endsWith("/Date") === true;

const acceptsOf = (
  plan: ColumnPlan,
  ast: SchemaAST.AST,
  typed: DeclaredColumn["typed"],
): DeclaredColumn["accepts"] => {
  // A number beyond 2^53 is no Int; an int64 column of a bigint holds them all.
  const needsSafe = plan.kind === "int64" && SchemaAST.isNumber(ast);
  const owed = !checksOf(ast).every(isImplied);
  if (!needsSafe && !owed && literalsOf(ast) === undefined) return undefined;
  const fits = Schema.is(Schema.make<Schema.Top>(ast));
  return (value) => {
    if (needsSafe && !Number.isSafeInteger(Number(value))) return false;
    return fits(typed(value));
  };
};

interface Field {
  readonly ast: SchemaAST.AST;
  readonly nullable: boolean;
}

/** Takes `| null` and `| undefined` off. */
const withoutNull = (ast: SchemaAST.AST): Field => {
  if (!SchemaAST.isUnion(ast)) return { ast, nullable: false };
  const rest = ast.types.filter((one) => !SchemaAST.isNull(one) && !SchemaAST.isUndefined(one));
  if (rest.length === ast.types.length) return { ast, nullable: false };
  const [only] = rest;
  if (rest.length === 1 && only !== undefined)
    return { ast: withoutNull(only).ast, nullable: true };
  return { ast: new SchemaAST.Union(rest, ast.options), nullable: true };
};

const hasTransformation = (ast: SchemaAST.AST): boolean =>
  ast.encoding !== undefined || (SchemaAST.isUnion(ast) && ast.types.some(hasTransformation));

const declaredColumn = (
  name: string,
  type: SchemaAST.AST,
): Result.Result<DeclaredColumn, ColumnUnsupported> => {
  const refuse = (found: string) => Result.fail(new ColumnUnsupported({ field: name, found }));
  if (hasTransformation(type))
    return refuse(
      "it has a transformation; declare the type that it ends in (Finite for FiniteFromString), the pipeline reads the text itself",
    );
  if (SchemaAST.isUnion(type) && type.checks !== undefined)
    return refuse("it has checks on a union; put them on the member");
  const { ast, nullable } = withoutNull(type);
  const kind = kindOf(ast);
  if (typeof kind === "string") return refuse(kind);
  const optional = SchemaAST.isOptional(type);
  const plan: ColumnPlan = { name, nullable: nullable || optional, ...kind };
  const typed = toTypeSide(plan, ast, isDateField(ast));
  const accepts = acceptsOf(plan, ast, typed);
  const literals = literalsOf(ast);
  const owed = accepts === undefined ? "" : " that passes the field's checks";
  const expected =
    literals === undefined ? `${expectedOf(plan)}${owed}` : `one of its ${literals.length} texts`;
  return Result.succeed({ plan, optional, accepts, expected, typed });
};

/** The columns of a declared schema, in its order. */
export const columnPlan = (
  schema: RowSchema,
): Result.Result<ReadonlyArray<DeclaredColumn>, ColumnUnsupported> => {
  const columns: Array<DeclaredColumn> = [];
  const normalised = new Map<string, string>();
  if (schema.ast.propertySignatures.length === 0)
    return Result.fail(new ColumnUnsupported({ field: "", found: "the schema has no fields" }));
  for (const { name, type } of schema.ast.propertySignatures) {
    const field = String(name);
    const header = columnName(field);
    const same = normalised.get(header);
    const found =
      header === "" || isReservedColumn(header)
        ? "its name is empty or reserved"
        : same === undefined
          ? undefined
          : `a file's header cannot tell it from ${JSON.stringify(same)}`;
    if (found !== undefined) return Result.fail(new ColumnUnsupported({ field, found }));
    normalised.set(header, field);
    const column = declaredColumn(field, type);
    if (Result.isFailure(column)) return Result.fail(column.failure);
    columns.push(column.success);
  }
  return Result.succeed(columns);
};
