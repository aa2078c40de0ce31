//! Window expressions. Those that look at single rows are ordered by every column in scope.

use super::{Column, Kind, Writer};

impl Writer {
    pub(super) fn window(&mut self, scope: &[Column]) -> (String, Kind) {
        self.alone(|writer| writer.window_alone(scope))
    }

    fn window_alone(&mut self, scope: &[Column]) -> (String, Kind) {
        let any = self.kind(scope);
        let column = self.leaf(scope, any);
        let number = self.leaf(scope, Kind::Int);
        let partition = self.partition(scope);
        let ordered = format!("{partition}{}", self.order_by_all(scope));
        let key = self.kind(scope);
        let by_one = self.leaf(scope, key);
        let by_one = format!("{partition} ORDER BY {}", self.order_key(&by_one));
        match self.between(0, 10) {
            0 => (format!("row_number() OVER ({ordered})"), Kind::Big),
            1 => (format!("rank() OVER ({by_one})"), Kind::Big),
            2 => (format!("dense_rank() OVER ({by_one})"), Kind::Big),
            3 => {
                let name = *self.one_of(&["lag", "lead"]);
                let rows = self.between(1, 3);
                (format!("{name}({column}, {rows}) OVER ({ordered})"), any)
            }
            4 => {
                let frame = *self.one_of(&["2 PRECEDING AND CURRENT ROW", "CURRENT ROW AND UNBOUNDED FOLLOWING"]);
                let call = format!("sum({number}) OVER ({ordered} ROWS BETWEEN {frame})");
                (call, Kind::Big)
            }
            5 => (format!("sum({number}) OVER ({partition})"), Kind::Big),
            6 => (format!("count({column}) OVER ({by_one})"), Kind::Big),
            7 => (format!("max({column}) OVER ({by_one})"), any),
            8 => {
                let name = *self.one_of(&["first_value", "last_value"]);
                let frame = "ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING";
                (format!("{name}({column}) OVER ({ordered} {frame})"), any)
            }
            9 => {
                let frame = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING";
                (format!("nth_value({column}, 2) OVER ({ordered} {frame})"), any)
            }
            _ => {
                let frame = "RANGE BETWEEN 2 PRECEDING AND 1 FOLLOWING";
                let order = self.order_key(&number);
                let call = format!("sum({number}) OVER ({partition} ORDER BY {order} {frame})");
                (call, Kind::Big)
            }
        }
    }

    fn partition(&mut self, scope: &[Column]) -> String {
        if self.percent(30) {
            return String::new();
        }
        let count = self.between(1, 2);
        let keys = (0..count).map(|_| {
            let kind = self.kind(scope);
            self.leaf(scope, kind)
        });
        format!("PARTITION BY {}", keys.collect::<Vec<_>>().join(", "))
    }

    pub(super) fn order_by_all(&mut self, scope: &[Column]) -> String {
        let keys: Vec<String> = scope.iter().map(|column| self.order_key(&column.name)).collect();
        format!(" ORDER BY {}", keys.join(", "))
    }

    /// The result's columns in some order, by their places.
    pub(super) fn order_by_places(&mut self, columns: usize) -> String {
        let places: Vec<usize> = (1..=columns).collect();
        let places = self.shuffled(&places);
        let keys: Vec<String> = places.iter().map(|place| self.order_key(&place.to_string())).collect();
        format!(" ORDER BY {}", keys.join(", "))
    }
}
