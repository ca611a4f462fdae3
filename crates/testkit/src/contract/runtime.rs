//! What every runtime plugin must keep, rule by rule; a rule about an ability that was not declared passes at once.
//!
//! A plugin's test implements [`Maker`] and calls `ao_testkit::runtime_contract!`. What runs inside a launch is always a
//! [`Program`], and what it does is seen through the runtime and through files that both sides reach.

mod agent;
pub mod ending;
pub mod history;
mod patience;
pub mod program;
pub mod resources;
pub mod screen;
pub mod start;
pub mod tree;
pub mod typing;
pub mod views;
mod world;

pub use agent::Agent;
pub use patience::{LIMIT, until};
pub use program::Program;
pub use world::{Maker, World};

/// One test for every rule: `runtime_contract!(maker)`, where `maker()` gives an `Arc<dyn Maker>` that no other rule uses.
///
/// Attributes before the path go to every test: `runtime_contract!(#[ignore = "needs tmux"] maker)`.
#[macro_export]
macro_rules! runtime_contract {
    ($(#[$attribute:meta])* $make:path) => {
        $crate::runtime_contract! { @ [$(#[$attribute])*] $make;
            start: a_launch_runs_once_however_often_it_is_asked_for
            start: two_asking_at_once_start_one
            start: what_ended_is_not_started_again
            start: two_launches_of_one_session_are_apart
            start: what_was_never_started_is_not_alive
            start: a_missing_program_is_named
            start: a_missing_directory_is_named
            start: arguments_arrive_as_they_are
            start: the_environment_is_exactly_the_given_one
            start: it_begins_in_its_directory
            ending: exit_codes_are_told
            ending: a_signal_is_told
            ending: the_end_is_pushed_to_who_listens
            ending: an_end_while_nobody_listened_is_told
            ending: an_end_that_was_noted_stays_known
            ending: what_was_torn_away_underneath_is_not_alive
            ending: a_link_that_is_dropped_ends_nothing
            screen: it_is_told_as_text
            screen: wide_characters_are_one_text
            screen: titles_and_marks_are_told
            screen: modes_are_told
            screen: offsets_never_go_back
            screen: a_flood_ends_with_the_last_screen
            screen: bytes_that_are_no_text_do_no_harm
            typing: a_stage_is_typed_once_however_often_it_is_asked_for
            typing: nothing_is_typed_onto_a_region_that_moved
            typing: a_region_that_stayed_is_typed_onto
            typing: a_paste_is_wrapped_if_the_program_asks_for_it
            typing: a_paste_cannot_end_itself
            typing: a_paste_arrives_line_by_line
            typing: keys_arrive_byte_by_byte
            typing: a_long_paste_arrives_whole_while_output_floods
            views: a_view_begins_with_the_screen
            views: bytes_go_on_exactly_where_the_screen_ends
            views: several_views_show_the_same
            views: keys_arrive_and_those_of_a_reader_do_not
            views: a_new_size_reaches_the_program
            views: a_view_that_nobody_reads_slows_nobody
            views: the_end_is_shown
            history: rows_that_scrolled_off_are_kept_by_number
            history: a_view_says_how_many_there_are
            tree: a_stop_is_polite_first
            tree: a_stop_leaves_nothing
            tree: a_stop_ends_what_the_agent_left
            tree: a_second_stop_finds_it_done
            resources: what_it_uses_is_told
            resources: halted_it_stands_still_and_goes_on
            resources: a_halted_one_can_be_stopped
            resources: memory_is_bounded
            resources: processes_are_bounded
        }
    };
    (@ [$($attributes:tt)*] $make:path;) => {};
    (@ [$($attributes:tt)*] $make:path; $suite:ident: $rule:ident $($rest:tt)*) => {
        #[tokio::test]
        $($attributes)*
        async fn $rule() {
            $crate::contract::runtime::$suite::$rule($make()).await;
        }
        $crate::runtime_contract! { @ [$($attributes)*] $make; $($rest)* }
    };
}
