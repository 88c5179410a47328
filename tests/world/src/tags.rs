//! Who may push to the registry may point a tag anywhere.

use crate::World;

impl World {
    /// Points a tag of the connector's image at a manifest that was pushed before.
    pub fn point_tag(&self, tag: &str, digest: &str) {
        let mut state = self.inner.state();
        let name = state.upstream.clone();
        state.registry.point_tag(&name, tag, digest);
    }
}
