export { ByteReader } from './byte-reader.ts'
export { ByteWriter } from './byte-writer.ts'
export { RouteHasher, slotCount, slotOf, type Route } from './route.ts'
export { readValue, valueDepthMax, writeValue } from './value.ts'
