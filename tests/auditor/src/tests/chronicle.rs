//! The chronicle audited: an honest journal passes, and each kind of lie is named.

use super::*;
use crate::Chronicle;
use mayfly_protocol::journal::{Accepted, Entry, QueryLimits, Record, Request, Won, WonOutput};

const STARTS_MAX: u32 = 3;

/// A journal under construction, owned by `a` at first.
struct Book {
    chronicle: Chronicle,
    next: u32,
    scene: Scene,
}

impl Book {
    fn new() -> Book {
        let mut book = Book {
            chronicle: Chronicle::new(STARTS_MAX),
            next: 0,
            scene: Scene::new(),
        };
        book.write("a", vec![accepted(), epoch(1)]).expect("honest");
        book
    }

    fn write(&mut self, writer: &str, entries: Vec<Entry>) -> Result<(), Violation> {
        let record = Record {
            writer: writer.to_owned(),
            written_at: self.scene.now,
            entries,
            spent: None,
        };
        let now = self.scene.now;
        self.chronicle.appended(now, &query(), self.next, &Rc::new(record))?;
        self.next += 1;
        Ok(())
    }

    /// Launches and publishes; what a winner's entry says.
    fn run(&mut self, task: TaskId, inputs: Vec<InputBinding>, nonce: u64) -> (Entry, TaskReport) {
        let spec = Rc::new(self.scene.spec(task, inputs));
        self.chronicle.launched(self.scene.now, &spec).expect("allowed");
        let report = TaskReport {
            attempt: spec.attempt.clone(),
            nonce: Nonce(nonce),
            output: output(&spec.attempt, nonce, spec.output.partitions, nonce * 100),
            pin_digest: spec.pin_digest,
            meter: Meter::default(),
            statistics: TaskStatistics::default(),
        };
        self.chronicle.published(&Rc::new(report.clone()));
        (won(&report), report)
    }
}

fn accepted() -> Entry {
    Entry::Accepted(Box::new(Accepted {
        request: Request {
            sql: String::new(),
            user: String::new(),
            source: None,
            catalog: None,
            schema: None,
            session: BTreeMap::new(),
            time_zone: None,
            accepted_at: EpochMs(0),
            deadline: EpochMs(100_000),
        },
        limits: QueryLimits::default(),
        graph: graph(),
        presentation: String::new(),
    }))
}

fn epoch(epoch: u32) -> Entry {
    let coordinator = String::new();
    Entry::Epoch { epoch, coordinator }
}

fn won(report: &TaskReport) -> Entry {
    Entry::Won(Box::new(Won {
        attempt: report.attempt.clone(),
        nonce: report.nonce,
        pin_digest: report.pin_digest,
        output: WonOutput::of(&report.output),
    }))
}

fn lost(report: &TaskReport) -> Entry {
    Entry::Lost {
        task: report.attempt.task,
        nonce: report.nonce,
        why: String::new(),
    }
}

fn finale(outcome: Outcome) -> Entry {
    Entry::Final {
        outcome: Box::new(outcome),
        meter: Box::default(),
    }
}

fn finished(outputs: Vec<Output>) -> Outcome {
    let root = StageId::new(1);
    Outcome::Finished { root, outputs }
}

#[test]
fn an_honest_journal_passes() {
    let mut book = Book::new();
    let (producer, made) = book.run(task(0, 0), vec![], 1);
    let (left, one) = book.run(task(1, 0), read(&made.output, (0, 2)), 2);
    let (right, other) = book.run(task(1, 1), read(&made.output, (2, 4)), 3);
    assert_eq!(book.write("a", vec![producer, left]), Ok(()));
    assert_eq!(book.write("b", vec![Entry::Cancel]), Ok(()));
    let answer = finished(vec![one.output, other.output]);
    assert_eq!(book.write("a", vec![right, finale(answer.clone())]), Ok(()));
    let now = book.scene.now;
    assert_eq!(book.chronicle.answered(now, &query(), &answer), Ok(()));
    assert_eq!(book.chronicle.ended(now, &query(), now), Ok(()));
    objects(book.chronicle.ended(now, &query(), EpochMs(1)), "which is after");
}

#[test]
fn a_number_that_is_taken_or_skipped_is_seen() {
    for wrong in [0, 2] {
        let mut book = Book::new();
        book.next = wrong;
        let beat = Entry::Beat { epoch: 1 };
        objects(book.write("a", vec![beat]), "follows 1 records");
    }
    objects(Book::new().write("a", vec![]), "is empty");
    objects(Book::new().write("a", vec![accepted()]), "again");
}

#[test]
fn a_record_of_an_owner_that_has_lost_the_query_is_seen() {
    let mut book = Book::new();
    assert_eq!(book.write("b", vec![epoch(2)]), Ok(()));
    objects(
        book.write("a", vec![Entry::Beat { epoch: 1 }]),
        "has lost the query to b",
    );
    objects(Book::new().write("b", vec![epoch(3)]), "claims epoch 3, not 2");
}

#[test]
fn a_second_winner_and_a_winner_of_other_inputs_are_seen() {
    let mut book = Book::new();
    let (first, made) = book.run(task(0, 0), vec![], 1);
    let (second, remade) = book.run(task(0, 0), vec![], 2);
    let (left, _) = book.run(task(1, 0), read(&remade.output, (0, 2)), 3);
    assert_eq!(book.write("a", vec![first]), Ok(()));
    objects(book.write("a", vec![second.clone()]), "has a winner");
    let mut book = Book { next: 3, ..book };
    objects(book.write("a", vec![left.clone()]), "not its inputs' winners'");
    book.next = 4;
    assert_eq!(book.write("a", vec![lost(&made), second, left]), Ok(()));
    objects(book.write("a", vec![lost(&made)]), "whose winner it is not");
}

#[test]
fn a_winner_that_nobody_ran_or_that_published_something_else_is_seen() {
    let mut book = Book::new();
    let (_, mut report) = book.run(task(0, 0), vec![], 1);
    report.nonce = Nonce(2);
    objects(book.write("a", vec![won(&report)]), "never published");
    report.nonce = Nonce(1);
    report.output.partitions[0].rows += 1;
    let mut book = Book { next: 2, ..book };
    objects(book.write("a", vec![won(&report)]), "something else");
}

#[test]
fn a_second_end_and_an_answer_that_is_not_the_journals_are_seen() {
    let mut book = Book::new();
    let now = book.scene.now;
    objects(
        book.chronicle.answered(now, &query(), &Outcome::Canceled),
        "not the one",
    );
    assert_eq!(book.write("a", vec![finale(Outcome::Canceled)]), Ok(()));
    assert_eq!(book.chronicle.answered(now, &query(), &Outcome::Canceled), Ok(()));
    let other = finished(vec![]);
    objects(book.chronicle.answered(now, &query(), &other), "not the one");
    objects(book.write("a", vec![finale(other)]), "follows the final one");
    let spec = Rc::new(book.scene.spec(task(0, 0), vec![]));
    objects(book.chronicle.launched(now, &spec), "after the final record");
    objects(Book::new().chronicle.ended(now, &query(), now), "no final record");
}

#[test]
fn an_answer_that_nobody_published_is_seen() {
    let mut book = Book::new();
    let (first, made) = book.run(task(0, 0), vec![], 1);
    let (left, one) = book.run(task(1, 0), read(&made.output, (0, 2)), 2);
    let answer = finished(vec![one.output.clone(), one.output]);
    objects(
        book.write("a", vec![first, left, finale(answer)]),
        "s1/t1 never published",
    );
}

#[test]
fn an_answer_before_its_winners_is_seen() {
    let mut book = Book::new();
    let (first, made) = book.run(task(0, 0), vec![], 1);
    let (left, one) = book.run(task(1, 0), read(&made.output, (0, 2)), 2);
    let (_, other) = book.run(task(1, 1), read(&made.output, (2, 4)), 3);
    let answer = finished(vec![one.output, other.output]);
    objects(
        book.write("a", vec![first, left, finale(answer)]),
        "what is not s1/t1's winner",
    );
}

#[test]
fn what_is_published_after_the_last_deadline_is_seen() {
    let mut book = Book::new();
    let now = book.scene.now;
    let (_, made) = book.run(task(0, 0), vec![], 1);
    assert_eq!(book.chronicle.swept(now, &query(), &[]), Ok(()));
    objects(book.chronicle.swept(now, &query(), &[made]), "after it was swept");
}

#[test]
fn a_query_or_a_cancel_that_is_given_up_for_no_reason_is_seen() {
    let mut book = Book::new();
    let now = book.scene.now;
    objects(book.chronicle.fenced(now, &query(), "a"), "who owns it");
    objects(book.chronicle.cancel_given_up(now, &query()), "the query goes on");
    assert_eq!(book.write("b", vec![epoch(2)]), Ok(()));
    assert_eq!(book.chronicle.fenced(now, &query(), "a"), Ok(()));
    assert_eq!(book.write("b", vec![finale(Outcome::Canceled)]), Ok(()));
    assert_eq!(book.chronicle.cancel_given_up(now, &query()), Ok(()));
}

#[test]
fn a_launch_that_is_nobodys_or_a_second_one_is_seen() {
    let mut book = Book::new();
    let now = book.scene.now;
    let spec = Rc::new(book.scene.spec(task(0, 0), vec![]));
    assert_eq!(book.chronicle.launched(now, &spec), Ok(()));
    objects(book.chronicle.launched(now, &spec), "launched twice");
    let mut early = (*spec).clone();
    early.attempt.epoch = 2;
    objects(book.chronicle.launched(now, &Rc::new(early)), "nobody has claimed");
}

#[test]
fn a_launch_after_too_many_starts_is_seen() {
    let mut book = Book::new();
    for start in 2..=4 {
        assert_eq!(book.write("b", vec![epoch(start)]), Ok(()));
    }
    let mut spec = book.scene.spec(task(0, 0), vec![]);
    spec.attempt.epoch = 4;
    let now = book.scene.now;
    objects(book.chronicle.launched(now, &Rc::new(spec)), "at start 4");
}

#[test]
fn work_that_the_journal_holds_and_that_runs_again_is_seen() {
    let resumed = |found: &dyn Fn(TaskReport) -> Vec<TaskReport>| {
        let mut book = Book::new();
        let (first, made) = book.run(task(0, 0), vec![], 1);
        assert_eq!(book.write("a", vec![first]), Ok(()));
        assert_eq!(book.write("b", vec![epoch(2)]), Ok(()));
        let found = found(made);
        let past = book.chronicle.resumed(&query(), 2, &found).expect("accepted");
        let mut scene = Scene::new();
        scene.auditor.resumed(scene.now, &query(), past, &found);
        let mut spec = scene.spec(task(0, 0), vec![]);
        spec.attempt.epoch = 2;
        spec.output.key_prefix = key::output_prefix(&Default::default(), &spec.attempt);
        scene.auditor.invoked(scene.now, &Rc::new(spec))
    };
    objects(resumed(&|made| vec![made]), "the journal has its winner");
    // Its object is gone.
    assert_eq!(resumed(&|_| vec![]), Ok(()));
}

#[test]
fn readers_of_what_came_out_different_need_no_loss_of_their_own() {
    let mut book = Book::new();
    let (first, made) = book.run(task(0, 0), vec![], 1);
    let (left, _) = book.run(task(1, 0), read(&made.output, (0, 2)), 3);
    assert_eq!(book.write("a", vec![first, left]), Ok(()));
    let (second, remade) = book.run(task(0, 0), vec![], 2);
    let (again, _) = book.run(task(1, 0), read(&remade.output, (0, 2)), 4);
    assert_eq!(book.write("a", vec![lost(&made), second, again.clone()]), Ok(()));
    objects(book.write("a", vec![again]), "has a winner");
}
