using System.Diagnostics;
using System.Globalization;
using System.Text;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Machine;

public sealed class StateFolderTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Nothing_is_made_before_something_is_written_and_then_for_the_owner_only()
    {
        var state = new StateFolder(_folder["deep", "state"]);
        Assert.Null(state.Read("a.json"));
        Assert.False(Directory.Exists(state.Path));

        state.Update("a.json", _ => [1]);

        Assert.Equal([1], state.Read("a.json"));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(state.Path));
            foreach (string file in Directory.GetFiles(state.Path))
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            }
        }
    }

    [Fact]
    public void What_a_crash_left_of_a_write_is_neither_read_nor_in_the_way()
    {
        var state = new StateFolder(_folder.Path);
        state.Update("a.json", _ => [1]);
        File.WriteAllBytes(state.PathOf("a.json.new"), [9, 9, 9]);

        Assert.Equal([1], state.Read("a.json"));
        state.Update("a.json", known => [.. known!, 2]);

        Assert.Equal([1, 2], state.Read("a.json"));
        Assert.False(File.Exists(state.PathOf("a.json.new")));
    }

    [Fact]
    public async Task No_change_is_lost_among_two_agents_and_many_threads()
    {
        const int Rounds = 25;
        StateFolder[] folders = [new(_folder.Path), new(_folder.Path)];

        await Parallel.ForEachAsync(Enumerable.Range(0, 8 * Rounds), new ParallelOptions { MaxDegreeOfParallelism = 8 }, (i, _) =>
        {
            folders[i % 2].Update("count", known => Encoding.ASCII.GetBytes((Count(known) + 1).ToString(CultureInfo.InvariantCulture)));
            return ValueTask.CompletedTask;
        });

        Assert.Equal(8 * Rounds, Count(folders[0].Read("count")));
    }

    [Fact]
    public async Task A_process_that_is_killed_leaves_no_lock_behind()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/flock"), "There is no flock.");
        var state = new StateFolder(_folder.Path);
        state.Update("a", _ => [1]);
        using Process holder = Process.Start(
            new ProcessStartInfo("/usr/bin/flock", [state.PathOf("a.lock"), "sh", "-c", "echo held; exec sleep 600"]) { RedirectStandardOutput = true })!;
        Assert.Equal("held", await holder.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

        Task waiting = Task.Run(() => state.Update("a", _ => [2]));
        Assert.Equal([1], state.Read("a"));
        Assert.False(waiting.IsCompleted);
        holder.Kill(entireProcessTree: true);
        await waiting;

        Assert.Equal([2], state.Read("a"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("{\"version\":\"1\",\"content\":{}}")]
    [InlineData("{\"version\":0,\"content\":{}}")]
    [InlineData("{\"version\":1}")]
    [InlineData("{\"version\":1,\"content\":null}")]
    [InlineData("{\"version\":1,\"content\":{\"registration\":{\"vaultId\":null}}}")]
    [InlineData("{\"version\":1,\"content\":{\"registration\":\"x\"}}")]
    [InlineData("\u0000\u0000\u0000")]
    public void Nonsense_is_told_with_its_file_and_what_to_do(string content)
    {
        using var agents = new AgentFixture();
        Directory.CreateDirectory(agents.State);
        string file = Path.Combine(agents.State, "machine.json");
        File.WriteAllText(file, content);

        BackupException fault = Assert.Throws<BackupException>(() => agents.Open().Machine.Registration);

        Assert.Equal((BackupErrorId.StateInvalid, file), (fault.Id, fault.Target));
        Assert.Contains(file, fault.Message, StringComparison.Ordinal);
        Assert.Contains("register again", fault.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_truncated_file_is_told_wherever_it_was_cut()
    {
        using var agents = new AgentFixture();
        BackupAgent agent = await agents.ActivateAsync();
        string file = Path.Combine(agents.State, "machine.json");
        byte[] whole = await File.ReadAllBytesAsync(file, AgentFixture.Cancel);

        for (int length = 0; length < whole.Length; length += 7)
        {
            await File.WriteAllBytesAsync(file, whole[..length], AgentFixture.Cancel);
            await AgentFixture.FailsAsync(BackupErrorId.StateInvalid, null, () => agent.OpenEngineAsync(AgentFixture.Cancel));
        }
    }

    [Fact]
    public void A_newer_version_is_refused_and_left_as_it_is()
    {
        using var agents = new AgentFixture();
        Directory.CreateDirectory(agents.State);
        string file = Path.Combine(agents.State, "settings.json");
        File.WriteAllText(file, "{\"version\":2,\"content\":{\"all\":\"new\"}}");

        BackupException fault = Assert.Throws<BackupException>(() => agents.Open().Machine.Update(settings => settings));

        Assert.Equal(BackupErrorId.StateInvalid, fault.Id);
        Assert.Contains("version 2", fault.Message, StringComparison.Ordinal);
        Assert.Contains("newer version", fault.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal("{\"version\":2,\"content\":{\"all\":\"new\"}}", File.ReadAllText(file));
    }

    [Fact]
    public void A_place_that_cannot_be_used_is_told()
    {
        File.WriteAllText(_folder["file"], "in the way");
        var state = new StateFolder(_folder["file", "state"]);

        BackupException fault = Assert.Throws<BackupException>(() => state.Update("a.json", _ => [1]));

        Assert.Equal((BackupErrorId.StateAccessDenied, state.Path), (fault.Id, fault.Target));
    }

    [Fact]
    public void An_account_without_rights_is_denied()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess, "Modes do not stop root.");
        var state = new StateFolder(_folder["state"]);
        state.Update("a.json", _ => [1]);
        Shell.RunChecked("chmod", "0", state.PathOf("a.json"));

        Assert.Equal(BackupErrorId.StateAccessDenied, Assert.Throws<BackupException>(() => state.Read("a.json")).Id);
    }

    [Fact]
    public void A_disk_without_room_changes_nothing()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Needs root on Linux to mount.");
        using MountedFileSystem mounted = MountedFileSystem.InMemory(_folder["small"], "64k");
        var state = new StateFolder(_folder["small"]);
        state.Update("a.json", _ => [1]);

        BackupException fault = Assert.Throws<BackupException>(() => state.Update("a.json", _ => new byte[1 << 20]));

        Assert.Equal(BackupErrorId.StateAccessDenied, fault.Id);
        Assert.Equal([1], state.Read("a.json"));
    }

    [Fact]
    public void The_place_is_an_absolute_one()
    {
        Assert.True(Path.IsPathFullyQualified(new StateFolder(null).Path));
        Assert.Equal(Path.GetFullPath("relative"), new StateFolder("relative").Path);
    }

    private static int Count(byte[]? content) => content is null ? 0 : int.Parse(Encoding.ASCII.GetString(content), CultureInfo.InvariantCulture);
}
