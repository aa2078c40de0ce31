//! Something of each task, found by its place: first its stage, of which there are few, then its number. In the order of tasks' ids.

use mayfly_protocol::{StageId, TaskId};

#[derive(Clone, Debug)]
pub(crate) struct ByTask<T> {
    /// Ascending.
    stages: Vec<(StageId, Vec<Option<T>>)>,
}

impl<T> Default for ByTask<T> {
    fn default() -> ByTask<T> {
        ByTask { stages: Vec::new() }
    }
}

impl<T> ByTask<T> {
    pub fn get(&self, task: TaskId) -> Option<&T> {
        let place = self.place(task.stage).ok()?;
        self.stages[place].1.get(task.index as usize)?.as_ref()
    }

    pub fn get_mut(&mut self, task: TaskId) -> Option<&mut T> {
        let place = self.place(task.stage).ok()?;
        self.stages[place].1.get_mut(task.index as usize)?.as_mut()
    }

    /// Where it is, or shall be.
    pub fn entry(&mut self, task: TaskId) -> &mut Option<T> {
        let place = self.place(task.stage).unwrap_or_else(|place| {
            self.stages.insert(place, (task.stage, Vec::new()));
            place
        });
        let (tasks, index) = (&mut self.stages[place].1, task.index as usize);
        if tasks.len() <= index {
            tasks.resize_with(index + 1, || None);
        }
        &mut tasks[index]
    }

    pub fn remove(&mut self, task: TaskId) -> Option<T> {
        self.get(task).is_some().then(|| self.entry(task).take()).flatten()
    }

    /// Forgets all of a stage; whether there was something.
    pub fn clear(&mut self, stage: StageId) -> bool {
        match self.place(stage) {
            Ok(place) => self.stages.remove(place).1.iter().any(Option::is_some),
            Err(_) => false,
        }
    }

    pub fn in_stage(&self, stage: StageId) -> impl Iterator<Item = &T> {
        let tasks = self.place(stage).map_or(&[][..], |place| &self.stages[place].1);
        tasks.iter().flatten()
    }

    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.stages.iter().flat_map(|(_, tasks)| tasks.iter().flatten())
    }

    pub fn into_values(self) -> impl Iterator<Item = T> {
        self.stages
            .into_iter()
            .flat_map(|(_, tasks)| tasks.into_iter().flatten())
    }

    /// Of a stage; else where it would stand.
    fn place(&self, stage: StageId) -> Result<usize, usize> {
        let place = self.stages.iter().position(|(other, _)| *other == stage);
        place.ok_or_else(|| self.stages.partition_point(|(other, _)| *other < stage))
    }
}

#[cfg(test)]
mod tests;
