//! Cuts rows into parts on disk by the hash of their keys.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, MutableArrayData, UInt32Array, make_array,
};
use datafusion::arrow::compute::{BatchCoalescer, take_record_batch};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::Result as DfResult;
use datafusion::common::hash_utils::{QualityRandomState, create_hashes};
use datafusion::execution::SpillFile;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::SpillManager;

/// Into how many parts rows are cut at once.
const PARTS: usize = 16;

/// Any number that no other operator starts its hashes with.
const SEED: u64 = 0x7061_7274_7320_6F6E;

/// Rows that a part holds back before it writes them.
const ROWS_PER_WRITE: usize = 1024;

/// Rows on disk.
pub(super) type Part = Arc<dyn SpillFile>;

/// Rows on their way into their parts.
pub(super) struct Cut {
    files: SpillManager,
    keys: Vec<Arc<dyn PhysicalExpr>>,
    seed: QualityRandomState,
    /// The first of the bits of a hash that name a part.
    shift: u32,
    parts: Vec<OpenPart>,
    hashes: Vec<u64>,
}

/// Appends a batch to a file, or ends it without one; DataFusion's type for it has no public name.
type Writer = Box<dyn FnMut(Option<&RecordBatch>) -> DfResult<Option<Part>> + Send>;

struct OpenPart {
    held: BatchCoalescer,
    file: Option<Writer>,
}

impl Cut {
    /// Each depth cuts by other bits of one hash, so that rows of one part come apart by the next;
    /// the hash is not the one by which DataFusion has put rows into this partition already.
    pub(super) fn new(files: SpillManager, keys: Vec<Arc<dyn PhysicalExpr>>, depth: u32) -> Self {
        let seed = QualityRandomState::with_seed(SEED);
        let shift = 16 + depth * PARTS.ilog2();
        let parts = (0..PARTS)
            .map(|_| OpenPart {
                held: BatchCoalescer::new(Arc::clone(files.schema()), ROWS_PER_WRITE),
                file: None,
            })
            .collect();
        Self { files, keys, seed, shift, parts, hashes: Vec::new() }
    }

    pub(super) fn push(&mut self, batch: &RecordBatch) -> DfResult<()> {
        let keys: DfResult<Vec<ArrayRef>> =
            self.keys.iter().map(|key| key.evaluate(batch)?.into_array(batch.num_rows())).collect();
        self.hashes.clear();
        self.hashes.resize(batch.num_rows(), 0);
        create_hashes(&keys?, &self.seed, &mut self.hashes)?;
        let mut rows: Vec<Vec<u32>> = vec![Vec::new(); PARTS];
        for (row, hash) in self.hashes.iter().enumerate() {
            rows[(hash >> self.shift) as usize % PARTS].push(row as u32);
        }
        for (part, rows) in self.parts.iter_mut().zip(rows) {
            if !rows.is_empty() {
                part.held.push_batch(take_record_batch(batch, &UInt32Array::from(rows))?)?;
                part.write(&self.files)?;
            }
        }
        Ok(())
    }

    /// The parts in their order; `None` where there are no rows.
    pub(super) fn finish(mut self) -> DfResult<Vec<Option<Part>>> {
        self.parts
            .iter_mut()
            .map(|part| {
                part.held.finish_buffered_batch()?;
                part.write(&self.files)?;
                match &mut part.file {
                    Some(file) => file(None),
                    None => Ok(None),
                }
            })
            .collect()
    }
}

impl OpenPart {
    fn write(&mut self, files: &SpillManager) -> DfResult<()> {
        while let Some(batch) = self.held.next_completed_batch() {
            let file = match &mut self.file {
                Some(file) => file,
                None => self.file.insert(writer(files)?),
            };
            file(Some(&batch))?;
        }
        Ok(())
    }
}

/// A copy in buffers of its own.
///
/// Batches from a file are slices of the piece of it that was read at once, and each counts as large
/// as all of that piece.
pub(super) fn compact(batch: &RecordBatch) -> DfResult<RecordBatch> {
    let copies = batch.columns().iter().map(|column| match column.data_type() {
        DataType::Utf8View => Ok(Arc::new(column.as_string_view().gc()) as ArrayRef),
        DataType::BinaryView => Ok(Arc::new(column.as_binary_view().gc()) as ArrayRef),
        _ => {
            let data = column.to_data();
            let mut copy = MutableArrayData::new(vec![&data], false, data.len());
            copy.try_extend(0, 0, data.len())?;
            Ok(make_array(copy.freeze()))
        }
    });
    let copies = copies.collect::<DfResult<Vec<ArrayRef>>>()?;
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(batch.schema(), copies, &rows)?)
}

fn writer(files: &SpillManager) -> DfResult<Writer> {
    let mut file = files.create_in_progress_file("a join")?;
    Ok(Box::new(move |batch| match batch {
        Some(batch) => file.append_batch(batch).map(|_| None),
        None => file.finish(),
    }))
}
