"""The compiled advantages; `skipjack.train.returns` has the same in readable Python."""

from libc.stdint cimport uint8_t
from libc.stdlib cimport calloc, free


def advantages(
    const float[:, ::1] rewards,            # IN (time, rows)
    const float[:, ::1] values,             # IN (time, rows)
    const float[::1] last_values,           # IN (rows,)
    const float[:, ::1] final_values,       # IN (time, rows), read where truncated
    const uint8_t[:, ::1] terminated,       # IN (time, rows)
    const uint8_t[:, ::1] truncated,        # IN (time, rows)
    const uint8_t[:, ::1] alive,            # IN (time, rows)
    const uint8_t[:, ::1] waiting,          # IN (time, rows)
    const float[:, ::1] ratios,             # IN (time, rows), read where importance_clip > 0
    double discount,
    double trace,
    double importance_clip,
    float[:, ::1] out,                      # OUT (time, rows)
):
    """Fill `out`; see `skipjack.train.returns.advantages` for what it holds."""
    cdef int time = rewards.shape[0], rows = rewards.shape[1], t, row
    cdef double reward, target, g
    # What the step before a row's present one will see: the value of what follows, the advantage
    # carried on, and rewards that arrived since the row's last decision. In double: sums over long
    # horizons keep every digit of the float32 that comes out.
    cdef double* carry = <double*>calloc(3 * rows, sizeof(double))
    if carry == NULL:
        raise MemoryError(f"Carries of {rows} rows do not fit.")
    cdef double* value = carry
    cdef double* advantage = carry + rows
    cdef double* pending = carry + 2 * rows
    with nogil:
        for row in range(rows):
            value[row] = last_values[row]
        for t in range(time - 1, -1, -1):
            for row in range(rows):
                if terminated[t, row]:
                    value[row] = advantage[row] = pending[row] = 0
                elif truncated[t, row]:
                    value[row] = final_values[t, row]
                    advantage[row] = pending[row] = 0
                reward = rewards[t, row]
                if not alive[t, row]:
                    out[t, row] = 0
                    pending[row] = discount * (reward + pending[row])
                    value[row] = discount * value[row]
                    advantage[row] = discount * advantage[row]
                elif waiting[t, row]:
                    pending[row] = reward + pending[row]
                    out[t, row] = <float>(pending[row] + value[row] + advantage[row] - values[t, row])
                else:
                    target = reward + pending[row] + discount * value[row]
                    g = target - values[t, row] + discount * trace * advantage[row]
                    out[t, row] = <float>g
                    if importance_clip > 0:
                        g *= min(ratios[t, row], importance_clip)
                    advantage[row] = g
                    value[row] = values[t, row]
                    pending[row] = 0
    free(carry)
