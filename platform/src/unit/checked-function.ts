/**
 * A function that a unit's author typed against a schema, as the platform calls it: with a value that this schema has
 * checked. The type of a method, because the compiler compares those in both directions; there is no way to tell it that
 * the schema at hand and the function at hand belong together.
 */
export type CheckedFunction<Parameters extends unknown[], Result = unknown> = {
  call(...parameters: Parameters): Result
}['call']
