//! The workspace contract, kept by both implementations on real repositories, and what is true of worktrees alone.

use ao_plugins::exec::Environment;
use ao_plugins::steps::Steps;
use ao_plugins::workspace::{LocalClone, Worktree};
use ao_slots::workspace::Workspace;
use ao_testkit::contract::repo::Repo;
use std::sync::Arc;

fn steps(stop: Option<usize>) -> Steps {
    stop.map_or_else(Steps::all, Steps::first)
}

fn worktree_of(repo: &Repo, stop: Option<usize>) -> Arc<dyn Workspace> {
    Arc::new(Worktree::stopping(Environment::exactly(repo.env()), steps(stop)))
}

fn clone_of(repo: &Repo, stop: Option<usize>) -> Arc<dyn Workspace> {
    Arc::new(LocalClone::stopping(Environment::exactly(repo.env()), steps(stop)))
}

macro_rules! contract {
    ($make:path; $($suite:ident: $($rule:ident)*;)*) => {
        $($(
            #[tokio::test]
            async fn $rule() {
                ao_testkit::contract::workspace::$suite::$rule(&$make).await;
            }
        )*)*
    };
}

macro_rules! both {
    ($($rules:tt)*) => {
        mod worktree {
            contract!(super::worktree_of; $($rules)*);
        }
        mod clone {
            contract!(super::clone_of; $($rules)*);
        }
    };
}

both! {
    ensure:
        a_workspace_starts_on_its_branch_at_the_target
        a_second_call_finds_the_work_of_the_first
        a_workspace_starts_from_the_commit_that_is_named
        a_branch_that_exists_is_continued
        a_directory_with_something_else_is_refused
        bad_repositories_are_named
        names_that_look_like_options_are_refused
        our_directory_is_excluded_without_touching_the_users_files
        a_workspace_inside_the_repository_does_not_show
        ignored_files_on_the_list_are_copied
        links_lead_to_the_main_checkout_and_replace_nothing
        commands_run_in_the_new_workspace
        a_command_that_hangs_ends_at_its_limit
        hooks_and_signing_of_the_user_do_not_matter;
    inspect:
        a_new_workspace_is_unchanged
        a_deleted_workspace_is_missing
        committed_work_is_the_branchs_own_commit
        uncommitted_work_is_kept_whole
        a_change_in_the_moment_of_the_last_look_is_seen
        any_file_name_is_only_a_name
        line_ends_stop_nothing
        work_on_another_branch_is_kept_and_named
        a_branch_without_history_is_work
        a_merge_is_followed_to_its_end
        markers_that_were_committed_are_conflicts
        a_text_about_conflicts_is_none
        a_merge_of_the_target_alone_is_no_work
        work_that_the_target_has_is_no_work
        a_rebase_that_stopped_is_not_finished
        a_repository_inside_is_not_part_of_the_work
        a_deleted_index_hides_nothing;
    remove:
        a_workspace_without_work_leaves_nothing
        a_branch_with_work_is_kept
        a_branch_that_landed_goes
        a_branch_of_the_users_is_kept
        everything_comes_back_as_it_was
        a_second_rescue_does_not_replace_the_first
        stashes_survive
        a_commit_without_a_branch_is_rescued
        a_merge_in_the_making_is_rescued
        a_repository_inside_is_rescued
        a_submodule_is_neither_lost_nor_in_the_way
        it_is_refused_while_a_process_works_there
        what_cannot_be_saved_is_not_removed
        a_deleted_workspace_is_forgotten
        a_directory_that_is_something_else_is_left_alone;
    outfit:
        folders_and_env_files_are_copied_and_never_committed
        commands_know_the_ports_and_their_output_is_kept
        a_directory_inside_the_repository_is_excluded
        submodules_come_from_the_main_checkout
        a_workspace_is_as_sparse_as_the_main_checkout
        large_files_stay_pointers_and_ask_nobody
        rescued_work_comes_back_into_a_new_workspace
        rescued_work_is_not_forced_onto_a_branch_that_moved
        a_workspace_is_measured_and_a_rescue_shown_and_dropped;
    recovery:
        a_making_that_was_cut_short_is_finished
        a_removal_that_was_cut_short_is_finished_once
        a_workspace_is_there_again_after_half_a_removal;
}
