export { openFolder, type Folder, type FolderOptions } from './folder.ts'
export { createLog, FileLog, openLog, type FileLogOptions } from './file-log.ts'
export type { FileLevel } from './log-end.ts'
export type { LogEvent, RecoveryProgress } from './recover-log.ts'
