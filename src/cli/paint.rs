//! Colours, where standard output shows them: on a terminal, unless `NO_COLOR` is set or TERM says that it cannot.

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Effects, Style};
use std::{fmt::Display, io};

/// What is set off from the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hue {
    /// What a line is about.
    Name,
    /// What matters less.
    Faint,
    /// What is new, or well.
    Green,
    /// What is gone, or wrong.
    Red,
    /// What wants a look.
    Yellow,
}

/// Whether there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Paint(pub bool);

impl Paint {
    /// As standard output has it.
    pub fn of_stdout() -> Self {
        Self(AutoStream::choice(&io::stdout()) != ColorChoice::Never)
    }

    /// A text in a colour.
    pub fn on(self, hue: Hue, text: impl Display) -> String {
        if !self.0 {
            return text.to_string();
        }
        let style = match hue {
            Hue::Name => Style::new().effects(Effects::BOLD),
            Hue::Faint => Style::new().effects(Effects::DIMMED),
            Hue::Green => AnsiColor::Green.on_default(),
            Hue::Red => AnsiColor::Red.on_default(),
            Hue::Yellow => AnsiColor::Yellow.on_default(),
        };
        format!("{style}{text}{style:#}")
    }
}
