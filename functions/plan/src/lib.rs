//! Pure decisions of a transfer: part layout, ranges, batches, routing.
