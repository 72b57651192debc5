export type { Outside } from './beside-data.ts'
export { anyone, type Access } from './access.ts'
export type { OutputEvent, PartitionOutput } from '../router/index.ts'
export type { AttemptContext } from './attempt.ts'
export type { CheckedFunction } from './checked-function.ts'
export { UnitClient } from './unit-client.ts'
export type {
  Client,
  DeadLetter,
  DeadMessage,
  HandlerCall,
  Loaded,
  MessagesHandle,
  ScheduleHandle,
  SinkHandle,
  Outcome,
  ProjectionHandle,
  ProjectionStatus,
  SourceCall,
  TaskRun,
  UsesOption,
  WorkerHandle,
} from './client-types.ts'
export type { HandlerContext, OutsideContext, ServiceContext, TaskContext, WorkerContext } from './context.ts'
export { handler, type Handler, type HandlerShape } from './handler.ts'
export type { PartLine, PartLog } from './part-log.ts'
export { loadUnitFile, type UnitFile } from './load-unit-file.ts'
export { port, unfilled, type Given, type Port, type Uses } from './port.ts'
export { projection, projectionRules, type Applied, type Projection, type ProjectionOut } from './projection.ts'
export type { Refusal, Refusals } from './refusals.ts'
export { resolveUnit, type ResolvedUnit } from './resolve-unit.ts'
export { schedule, type Schedule } from './schedule.ts'
export { service, type CallShape, type Service } from './service.ts'
export { sink, type ChangeNumber, type Sink, type SinkBatch, type SinkContext } from './sink.ts'
export { source, type Source, type SourceRequest } from './source.ts'
export { task, type Task } from './task.ts'
export { isUnit, unit, unitDefinition, type Unit, type UnitShape } from './unit.ts'
export { UnitLogic, type UnitLogicOptions, type UnitParts, type Watch } from './unit-logic.ts'
export { wholeNumber, worker, WorkerDefinition, type Worker } from './worker.ts'
export { WorkerHost } from './worker-host.ts'
export { plainResult } from './plain-result.ts'
export { isPassing, type WorkerEvent } from './worker-run.ts'
export { keyPart } from './work-key.ts'
