export type { Outside } from './beside-data.ts'
export { anyone, type Access } from './access.ts'
export { UnitClient } from './unit-client.ts'
export type {
  Client,
  DeadLetter,
  DeadMessage,
  HandlerCall,
  Loaded,
  MessagesHandle,
  ScheduleHandle,
  Outcome,
  SourceCall,
  TaskRun,
  UsesOption,
  WorkerHandle,
} from './client-types.ts'
export type { HandlerContext, OutsideContext, ServiceContext, TaskContext, WorkerContext } from './context.ts'
export { handler, type Handler, type HandlerShape } from './handler.ts'
export { loadUnitFile, type UnitFile } from './load-unit-file.ts'
export { port, type Given, type Port, type Uses } from './port.ts'
export { projection, type Applied, type Projection } from './projection.ts'
export type { Refusal, Refusals } from './refusals.ts'
export { resolveUnit, type ResolvedUnit } from './resolve-unit.ts'
export { schedule, type Schedule } from './schedule.ts'
export { service, type CallShape, type Service } from './service.ts'
export { source, type Source, type SourceRequest } from './source.ts'
export { task, type Task } from './task.ts'
export { isUnit, unit, unitDefinition, type Unit, type UnitShape } from './unit.ts'
export { UnitLogic, type UnitLogicOptions, type UnitParts, type Watch } from './unit-logic.ts'
export { worker, type Worker } from './worker.ts'
export { WorkerHost } from './worker-host.ts'
export type { WorkerEvent } from './worker-run.ts'
