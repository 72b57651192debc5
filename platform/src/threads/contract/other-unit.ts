// A unit that is not the one of the tests.
import { z } from 'zod'
import { entry, unit } from '../../index.ts'

export default unit('threaded', { entries: [entry('account', z.object({ id: z.string() }), { id: 'id' })] }, {})
