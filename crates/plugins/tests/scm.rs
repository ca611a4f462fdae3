//! The forge contract, kept by `local` on real repositories.

use ao_plugins::exec::Environment;
use ao_plugins::scm::Local;
use ao_plugins::steps::Steps;
use ao_slots::scm::Scm;
use ao_testkit::contract::repo::Repo;
use std::sync::Arc;

fn local(repo: &Repo, stop: Option<usize>) -> Arc<dyn Scm> {
    Arc::new(Local::stopping(Environment::exactly(repo.env()), stop.map_or_else(Steps::all, Steps::first)))
}

macro_rules! contract {
    ($($($part:ident)::+;)*) => {
        $(contract!(@ $($part)::+);)*
    };
    (@ $suite:ident::$rule:ident) => {
        #[tokio::test]
        async fn $rule() {
            ao_testkit::contract::scm::$suite::$rule(&local).await;
        }
    };
    (@ $rule:ident) => {
        #[tokio::test]
        async fn $rule() {
            ao_testkit::contract::scm::$rule(&local).await;
        }
    };
}

contract! {
    the_target_is_its_branchs_commit;
    a_repository_is_described_as_it_is;
    a_pull_request_keeps_its_head;
    candidate::heads_that_fit_are_stacked;
    candidate::commits_say_who_made_them;
    candidate::conflicts_are_told_apart;
    candidate::what_the_target_has_is_contained;
    candidate::a_solved_conflict_stays_solved;
    candidate::a_foreign_history_stops_nobody_else;
    candidate::hooks_signing_and_identity_of_the_user_do_not_matter;
    land::a_target_that_is_not_checked_out_is_swapped;
    land::a_clean_checkout_goes_along;
    land::a_checkout_in_a_linked_worktree_counts;
    land::a_worktree_that_is_gone_holds_nothing_up;
    land::a_dirty_checkout_stops_it;
    land::a_file_in_the_way_stops_it;
    land::a_merge_that_is_going_on_stops_it;
    land::a_rebase_that_is_going_on_stops_it;
    land::another_git_at_work_stops_it;
    land::a_target_that_moved_is_lost_and_one_that_has_it_has_landed;
    land::of_two_landings_exactly_one_wins;
    land::a_landing_that_was_cut_short_is_finished;
    land::files_without_their_ref_are_a_landing_cut_short;
    land::a_bare_repository_lands;
    scratch::it_goes_from_commit_to_commit_and_keeps_what_is_ignored;
    scratch::a_broken_one_is_mended;
    scratch::somebody_elses_directory_is_left_alone;
    check::how_it_ended_is_told_apart;
    check::output_comes_in_order_and_is_logged;
    check::a_flood_is_cut_in_the_middle;
    check::its_environment_is_exactly_the_given_one;
    check::nothing_of_it_runs_when_it_is_over;
    check::a_check_that_is_given_up_is_over;
    check::what_a_killed_daemon_left_is_ended_first;
}
