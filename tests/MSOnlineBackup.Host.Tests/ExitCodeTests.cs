using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Tests;

public sealed class ExitCodeTests
{
    [Fact]
    public void Every_error_id_ends_with_the_documented_code()
    {
        foreach (BackupErrorId id in Enum.GetValues<BackupErrorId>())
        {
            int documented = CliDocument.ExitCodes.Where(row => row.Value.Contains(id.ToString())).Select(row => row.Key).SingleOrDefault(1);

            Assert.Equal(documented, (int)ExitCodes.Of(id));
        }
    }

    [Fact]
    public void The_document_lists_every_code_and_only_ids_that_exist()
    {
        Assert.Equal(Enum.GetValues<ExitCode>().Select(code => (int)code), CliDocument.ExitCodes.Keys);
        Assert.All(CliDocument.ExitCodes.Values.SelectMany(ids => ids), id => Assert.True(Enum.TryParse<BackupErrorId>(id, out _), id));
    }

    [Fact]
    public void An_error_keeps_its_words_and_target()
    {
        Failure failure = Failure.From(new BackupException(BackupErrorId.VaultFull, "Full.", "Make room.", "/v"), stopping: false);

        Assert.Equal(
            ("VaultFull", "Full.", "Make room.", "/v", ExitCode.Failed), (failure.Id, failure.Message, failure.Action, failure.Target, failure.ExitCode));
    }

    [Fact]
    public void A_bug_is_called_one_and_points_to_debug()
    {
        Failure failure = Failure.From(new InvalidOperationException("oops"), stopping: false);

        Assert.Equal("UnexpectedError", failure.Id);
        Assert.Contains("--debug", failure.Action);
        Assert.Equal(ExitCode.Failed, failure.ExitCode);
    }

    [Fact]
    public void Being_stopped_is_no_error_of_the_program()
    {
        Assert.Equal(ExitCode.Stopped, Failure.From(new OperationCanceledException(), stopping: true).ExitCode);
    }

    [Fact]
    public void A_producer_that_got_the_same_Ctrl_C_is_no_news()
    {
        var killed = new BackupException(BackupErrorId.CommandFailed, "pg_dump ended with status 130.", "Look.");

        Assert.Equal(ExitCode.Stopped, Failure.From(killed, stopping: true).ExitCode);
        Assert.Equal("CommandFailed", Failure.From(killed, stopping: false).Id);
    }

    [Fact]
    public void A_cancellation_that_nobody_asked_for_is_a_bug()
    {
        Assert.Equal("UnexpectedError", Failure.From(new OperationCanceledException(), stopping: false).Id);
    }
}
