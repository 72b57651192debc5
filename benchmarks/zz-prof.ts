import { openPlenumBank } from './subjects/plenum-bank.ts'
import { uniform } from './harness/draws.ts'
const [accounts, callers, seconds, ack] = [Number(process.argv[2]), Number(process.argv[3]), Number(process.argv[4]), (process.argv[5] ?? 'memory') as 'memory']
const folder = ack === 'memory' ? undefined : `/tmp/zzbank-${process.pid}`
const bank = await openPlenumBank({ accounts, ack, folder, partitions: 4, load: 'batches' })
for (let i = 0; i < 4; i++) { const r = await bank.transfers(uniform, callers, seconds); console.log(Math.round(r.operations / r.seconds / 1000) + ' k/s') }
await bank.close()
