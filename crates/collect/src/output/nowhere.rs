//! A destination that keeps nothing.

use async_trait::async_trait;
use bytes::Bytes;

use super::{Destination, ObjectKind, ObjectWriter, OutputError};

/// Keeps nothing, for who wants typed results alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nowhere;

#[async_trait]
impl Destination for Nowhere {
    fn name(&self) -> &str {
        "nowhere"
    }

    async fn check(&self) -> Result<(), OutputError> {
        Ok(())
    }

    async fn create(&self, _key: &str, _kind: ObjectKind) -> Result<Box<dyn ObjectWriter>, OutputError> {
        Ok(Box::new(Self))
    }

    async fn remove(&self, _key: &str) -> Result<(), OutputError> {
        Ok(())
    }
}

#[async_trait]
impl ObjectWriter for Nowhere {
    async fn write(&mut self, _bytes: Bytes) -> Result<(), OutputError> {
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), OutputError> {
        Ok(())
    }

    async fn abort(self: Box<Self>) {}
}
