//! Who may push to the registry may point a tag anywhere.

use crate::World;
use crate::images::SIDECAR;

impl World {
    /// As [`World::point_tag`], for the second image.
    pub fn point_sidecar_tag(&self, tag: &str, digest: &str) {
        self.later().registry.point_tag(SIDECAR, tag, digest);
    }

    /// As [`World::delete_image_tag`], for the second image.
    pub fn delete_sidecar_tag(&self, tag: &str) {
        self.later().registry.remove_tag(SIDECAR, tag);
    }

    /// Points a tag of the connector's image at a manifest that was pushed before.
    pub fn point_tag(&self, tag: &str, digest: &str) {
        let mut state = self.later();
        let name = state.upstream.clone();
        state.registry.point_tag(&name, tag, digest);
    }
}
