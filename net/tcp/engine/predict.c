// Header prediction (Jacobson, 1990): the segment that is expected next takes a fast path.
// SPDX-License-Identifier: MIT
#include "predict.h"

bool bm_tcp_input_predicted(struct bm_tcp_shard *shard, const struct bm_tcp_packet *packet)
{
    return tcp_input_predicted(shard, packet);
}
