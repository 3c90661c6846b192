//! What List tells: its route. It moves nothing.

use transload_wire::{ListInput, ListOutput};

use super::{Facts, Input, Output};

impl Input for ListInput {
    fn facts(&self) -> Facts {
        Facts { route: self.request.route.clone(), changed: None, again: self.left.is_some() }
    }
}

impl Output for ListOutput {}
