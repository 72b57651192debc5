export { NodeDisk } from './node-disk.ts'
export { nodeRuntime } from './node-runtime.ts'
