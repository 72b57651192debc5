export { NodeDisk } from './node-disk.ts'
export { nodeRuntime } from './node-runtime.ts'
export { PurityGuard } from './purity-guard.ts'
export { Watchdog } from './watchdog.ts'
