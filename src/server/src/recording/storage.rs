//! The object storage (S3) recordings are taken to, by setting. Files go there in
//! parts while they are still written; how far each is stands in the records, so
//! that an upload goes on after a restart. What is there is read back and compared
//! with its hash before it counts.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use lophoc_recording::RecordingId;
use lophoc_recording::manifest::Running;
use lophoc_records::StoredObject;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path as Key;
use object_store::{ClientOptions, MultipartId, ObjectStore, ObjectStoreExt as _, PutPayload};

use super::keep::KeepError;
use crate::app::App;
use crate::clock::wall_ms;
use crate::config::{StorageConfig, StorageEncryption, StorageKind};

/// Parts have this size but for the last: S3 takes no smaller ones than 5 MiB, and
/// some storages want all alike.
const PART: u64 = 8 * 1024 * 1024;
/// Read back in pieces of this size.
const READ: u64 = 4 * 1024 * 1024;
/// Time for one request.
const REQUEST: std::time::Duration = std::time::Duration::from_secs(120);
/// Longest file with a secret, bytes.
const MAX_SECRET: u64 = 16 * 1024;

/// The object storage.
#[derive(Debug)]
pub struct Remote {
    store: AmazonS3,
    prefix: String,
    /// Files stay here as well.
    pub keep_local: bool,
}

/// The storage cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The file with the secret.
    #[error("storage.secret_file: {0}")]
    Secret(std::io::Error),
    /// The values.
    #[error("storage: {0}")]
    Values(#[from] object_store::Error),
}

impl Remote {
    /// By the settings; `None`: files stay in the data folder alone.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn new(config: &StorageConfig) -> Result<Option<Self>, StorageError> {
        if config.kind == StorageKind::Local {
            return Ok(None);
        }
        let secret = match config.secret_file.as_os_str().is_empty() {
            true => config.secret_key.clone(),
            false => {
                use std::io::Read as _;
                let mut text = String::new();
                File::open(&config.secret_file)
                    .and_then(|file| file.take(MAX_SECRET).read_to_string(&mut text))
                    .map_err(StorageError::Secret)?;
                text.trim().to_owned()
            }
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&config.bucket)
            .with_region(&config.region)
            .with_access_key_id(&config.access_key)
            .with_secret_access_key(secret)
            .with_client_options(
                ClientOptions::new()
                    .with_timeout(REQUEST)
                    .with_allow_http(config.endpoint.starts_with("http://")),
            );
        if !config.endpoint.is_empty() {
            builder = builder.with_endpoint(config.endpoint.trim_end_matches('/'));
        }
        builder = match config.encryption {
            StorageEncryption::Bucket => builder,
            StorageEncryption::Aes256 => {
                builder.with_config("aws_server_side_encryption".parse()?, "AES256")
            }
            StorageEncryption::Kms => builder.with_sse_kms_encryption(&config.kms_key),
        };
        Ok(Some(Self {
            store: builder.build()?,
            prefix: config.prefix.trim_matches('/').to_owned(),
            keep_local: config.keep_local,
        }))
    }

    fn key(&self, id: &RecordingId, file: &str) -> Key {
        let path = format!("{}/{}/{file}", self.prefix, id.as_str());
        Key::from(path.trim_start_matches('/'))
    }

    /// Bytes of a file.
    ///
    /// # Errors
    /// The storage's.
    pub async fn read(
        &self,
        id: &RecordingId,
        file: &str,
        offset: u64,
        len: u64,
    ) -> Result<Bytes, object_store::Error> {
        let range = offset..offset.saturating_add(len);
        self.store.get_range(&self.key(id, file), range).await
    }

    /// SHA-256 and length of what is there, read back.
    ///
    /// # Errors
    /// The storage's.
    pub async fn hash(&self, id: &RecordingId, file: &str) -> Result<(String, u64), KeepError> {
        let key = self.key(id, file);
        let whole = self.store.head(&key).await?.size;
        let mut running = Running::new();
        while running.bytes() < whole {
            running.add(&self.piece(&key, running.bytes(), whole).await?);
        }
        Ok((running.sha256(), running.bytes()))
    }

    /// The next piece of a file: no request takes longer than its time on a slow line.
    async fn piece(&self, key: &Key, at: u64, whole: u64) -> Result<Bytes, KeepError> {
        let to = whole.min(at.saturating_add(READ));
        let piece = self.store.get_range(key, at..to).await?;
        if piece.len() as u64 != to.saturating_sub(at) {
            return Err(KeepError::Bad("less came than was asked for".to_owned()));
        }
        Ok(piece)
    }

    /// Everything of a recording goes.
    ///
    /// # Errors
    /// The storage's.
    pub async fn remove(
        &self,
        id: &RecordingId,
        objects: &[StoredObject],
    ) -> Result<(), KeepError> {
        for object in objects {
            if let Some(upload) = &object.upload {
                let done = self
                    .store
                    .abort_multipart(&self.key(id, &object.file), upload)
                    .await;
                gone(done)?;
            }
        }
        let folder = Key::from(format!("{}/{}", self.prefix, id.as_str()).trim_start_matches('/'));
        let mut list = self.store.list(Some(&folder));
        let mut keys = Vec::new();
        while let Some(meta) = list.next().await {
            keys.push(meta?.location);
        }
        for key in keys {
            gone(self.store.delete(&key).await)?;
        }
        Ok(())
    }

    /// A file goes, and what is on its way of it.
    ///
    /// # Errors
    /// The storage's.
    pub async fn remove_one(
        &self,
        id: &RecordingId,
        object: &StoredObject,
    ) -> Result<(), KeepError> {
        let key = self.key(id, &object.file);
        if let Some(upload) = &object.upload {
            gone(self.store.abort_multipart(&key, upload).await)?;
        }
        gone(self.store.delete(&key).await)
    }

    /// Takes a file there as far as it is: whole parts of its first `len` bytes, and,
    /// when it is `whole`, the rest as well; then it is read back. `sha256` is that of
    /// the whole file. Goes on where it was. `go` is asked between parts; `false` ends
    /// it. Tells whether the file is there and verified.
    ///
    /// # Errors
    /// The disk's, the store's, the storage's; `Bad` when what was read back is not
    /// what was sent.
    pub async fn take(
        &self,
        app: &App,
        id: &RecordingId,
        file: &Upload<'_>,
        mut object: StoredObject,
        mut go: impl FnMut() -> bool,
    ) -> Result<bool, KeepError> {
        if object.is(file.len, file.sha256) {
            return Ok(true);
        }
        // Another file under the same name: what was sent before is of no use.
        if object.verified_ms.is_some() || object.part_bytes > file.len {
            if let Some(upload) = object.upload.take() {
                gone(
                    self.store
                        .abort_multipart(&self.key(id, file.name), &upload)
                        .await,
                )?;
            }
            object = StoredObject::default();
        }
        file.name.clone_into(&mut object.file);
        let key = self.key(id, file.name);
        let path = app.keep.files.of(id).join(file.name);
        let local = Arc::new(tokio::task::spawn_blocking(move || File::open(path)).await??);
        if object.upload.is_none() && object.bytes == 0 {
            if file.whole && file.len <= PART {
                let bytes = read_local(&local, 0, file.len).await?;
                self.store.put(&key, PutPayload::from(bytes)).await?;
                object.bytes = file.len;
                app.store.set_recording_object(id.as_str(), &object).await?;
            } else if file.len >= PART {
                let upload = self.store.create_multipart(&key).await?;
                object.upload = Some(upload.clone());
                let kept = app.store.set_recording_object(id.as_str(), &object).await;
                if let Err(error) = kept {
                    // An upload nobody knows of would be paid for and never found.
                    gone(self.store.abort_multipart(&key, &upload).await)?;
                    return Err(error.into());
                }
            } else {
                return Ok(false);
            }
        }
        if let Some(upload) = object.upload.clone() {
            while file.len - object.part_bytes >= PART
                || (file.whole && file.len > object.part_bytes)
            {
                if !go() {
                    return Ok(false);
                }
                self.part(app, id, &key, &upload, &local, file.len, &mut object)
                    .await?;
            }
            if !file.whole {
                return Ok(false);
            }
            let parts = object
                .parts
                .iter()
                .map(|content_id| PartId {
                    content_id: content_id.clone(),
                })
                .collect();
            match self.store.complete_multipart(&key, &upload, parts).await {
                // It was completed before, and the server died before it wrote that
                // down: what is there is read back below.
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            object.upload = None;
            object.parts.clear();
            object.part_bytes = 0;
            object.bytes = file.len;
            app.store.set_recording_object(id.as_str(), &object).await?;
        }
        let same = match self.hash(id, file.name).await {
            Ok((sha256, bytes)) => sha256 == file.sha256 && bytes == file.len,
            Err(KeepError::Remote(object_store::Error::NotFound { .. })) => false,
            Err(error) => return Err(error),
        };
        if !same {
            // Sent anew at the next try.
            let fresh = StoredObject {
                file: object.file,
                ..StoredObject::default()
            };
            app.store.set_recording_object(id.as_str(), &fresh).await?;
            return Err(KeepError::Bad(format!(
                "{} was not stored as it is",
                file.name
            )));
        }
        object.verified_ms = Some(wall_ms());
        file.sha256.clone_into(&mut object.sha256);
        app.store.set_recording_object(id.as_str(), &object).await?;
        Ok(true)
    }

    #[expect(clippy::too_many_arguments, reason = "one step of the loop above")]
    async fn part(
        &self,
        app: &App,
        id: &RecordingId,
        key: &Key,
        upload: &MultipartId,
        local: &Arc<File>,
        len: u64,
        object: &mut StoredObject,
    ) -> Result<(), KeepError> {
        let size = PART.min(len - object.part_bytes);
        let bytes = read_local(local, object.part_bytes, size).await?;
        let part = self
            .store
            .put_part(key, upload, object.parts.len(), PutPayload::from(bytes))
            .await;
        let part = match part {
            Ok(part) => part,
            Err(object_store::Error::NotFound { .. }) => {
                // The storage forgot the upload: it begins anew at the next try.
                let fresh = StoredObject {
                    file: object.file.clone(),
                    ..StoredObject::default()
                };
                app.store.set_recording_object(id.as_str(), &fresh).await?;
                return Err(KeepError::Bad("the storage forgot an upload".to_owned()));
            }
            Err(error) => return Err(error.into()),
        };
        object.parts.push(part.content_id);
        object.part_bytes = object.part_bytes.saturating_add(size);
        app.store.set_recording_object(id.as_str(), object).await?;
        Ok(())
    }

    /// Brings a file back into its folder, whole or not at all.
    ///
    /// # Errors
    /// The disk's, the storage's; `Bad` when its hash is another.
    pub async fn bring(
        &self,
        app: &App,
        id: &RecordingId,
        file: &str,
        sha256: &str,
    ) -> Result<(), KeepError> {
        use tokio::io::AsyncWriteExt as _;
        let path = app.keep.files.of(id).join(file);
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let beside = std::path::PathBuf::from(beside);
        let mut out = tokio::fs::File::create(&beside).await?;
        let key = self.key(id, file);
        let whole = self.store.head(&key).await?.size;
        let mut running = Running::new();
        while running.bytes() < whole {
            let piece = self.piece(&key, running.bytes(), whole).await?;
            running.add(&piece);
            out.write_all(&piece).await?;
        }
        out.sync_all().await?;
        if running.sha256() != sha256 {
            tokio::fs::remove_file(&beside).await?;
            return Err(KeepError::Bad(format!("{file} came back as another")));
        }
        tokio::fs::rename(&beside, &path).await?;
        Ok(())
    }
}

/// A file on its way.
#[derive(Debug, Clone, Copy)]
pub struct Upload<'a> {
    /// Name in the folder of the recording.
    pub name: &'a str,
    /// Bytes that are there and stay as they are.
    pub len: u64,
    /// Nothing follows them.
    pub whole: bool,
    /// Their hash, when nothing follows.
    pub sha256: &'a str,
}

async fn read_local(file: &Arc<File>, offset: u64, len: u64) -> Result<Bytes, KeepError> {
    let file = Arc::clone(file);
    let read = move || {
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
        file.read_exact_at(&mut bytes, offset)?;
        Ok::<_, std::io::Error>(Bytes::from(bytes))
    };
    Ok(tokio::task::spawn_blocking(read).await??)
}

/// What is gone already is gone.
fn gone(done: Result<(), object_store::Error>) -> Result<(), KeepError> {
    match done {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
