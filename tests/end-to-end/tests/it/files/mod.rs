//! Files as people have them: written by others, at other times, with other columns, and with footers that say less or other than is
//! so. Each case writes its files, and is asked in default and in forced shape.

mod evolution;
mod folders;
mod footers;
mod order;
mod text;
mod world;
