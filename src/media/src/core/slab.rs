//! A table whose entries are found by a small number, so that fan-out hashes nothing.

/// Entries by index; free places are used again.
#[derive(Debug)]
pub(super) struct Slab<T> {
    items: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Slab<T> {
    pub(super) fn new() -> Self {
        Self {
            items: Vec::new(),
            free: Vec::new(),
        }
    }

    pub(super) fn insert(&mut self, item: T) -> usize {
        match self.free.pop() {
            Some(index) => {
                if let Some(place) = self.items.get_mut(index) {
                    *place = Some(item);
                }
                index
            }
            None => {
                self.items.push(Some(item));
                self.items.len() - 1
            }
        }
    }

    pub(super) fn remove(&mut self, index: usize) -> Option<T> {
        let item = self.items.get_mut(index)?.take();
        if item.is_some() {
            self.free.push(index);
        }
        item
    }

    pub(super) fn get(&self, index: usize) -> Option<&T> {
        self.items.get(index)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.items.get_mut(index)?.as_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        self.items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| Some((index, item.as_ref()?)))
    }

    pub(super) fn indices_into(&self, out: &mut Vec<usize>) {
        out.clear();
        out.extend(self.iter().map(|(index, _)| index));
    }

    pub(super) fn len(&self) -> usize {
        self.items.len() - self.free.len()
    }
}
