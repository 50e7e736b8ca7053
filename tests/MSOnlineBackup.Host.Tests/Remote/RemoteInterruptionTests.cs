using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests.Remote;

/// <summary>What runs on a machine is killed before each of its steps, one run after the other: the link leads to a whole version at any moment, and doing it again does the rest.</summary>
public sealed class RemoteInterruptionTests : IDisposable
{
    private static readonly string[] _programs =
        ["mkdir", "mv", "ln", "rm", "readlink", "df", "tail", "head", "tr", "cut", "grep", "cat", "sync", "tar", "gzip", "sha256sum", "timeout", "uname", "ldd"];

    private static readonly string[] _versions = ["1.0.0", "1.1.0"];

    private readonly FakeMachines _machines = new();

    public RemoteInterruptionTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "Shell scripts stand for ssh and for machines, in sessions of their own.");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _machines.Dispose();

    [Fact]
    public async Task The_link_leads_to_a_whole_version_whenever_an_update_is_killed()
    {
        _machines.Add("m1");
        Assert.Null(Assert.Single(await _machines.InstallAsync(null, "m1")).Failure);
        string newer = _machines.MakePackage("1.1.0");
        Shell.RunChecked("cp", "-a", _machines.Of("m1", "home"), _machines.Of("m1", "before"));
        int killed = 0;
        for (int step = 1; await IsKilledAsync(step, () => _machines.Open().InstallAsync([FakeMachines.Machine("m1")], new RemoteInstallOptions { PackagePath = newer }, Stop)); step += Stride)
        {
            killed++;
            Assert.Contains(_machines.Answer("m1"), _versions);
            Assert.Null(Assert.Single(await _machines.Open().InstallAsync([FakeMachines.Machine("m1")], new RemoteInstallOptions { PackagePath = newer }, Stop)).Failure);
            Settled("1.1.0");
            Directory.Delete(_machines.Of("m1", "home"), recursive: true);
            Shell.RunChecked("cp", "-a", _machines.Of("m1", "before"), _machines.Of("m1", "home"));
        }

        Assert.True(killed * Stride > 20, $"{killed} kills");
        Settled("1.1.0");
    }

    [Fact]
    public async Task It_does_whenever_going_back_is_killed()
    {
        _machines.Add("m1");
        foreach (string version in new[] { "1.0.0", "1.1.0" })
        {
            Assert.Null(Assert.Single(await _machines.InstallAsync(new RemoteInstallOptions { PackagePath = _machines.MakePackage(version) }, "m1")).Failure);
        }

        int killed = 0;
        string now = "1.1.0";
        for (int step = 1; ; step += Stride)
        {
            bool isKilled = await IsKilledAsync(step, () => _machines.Open().RollBackAsync([FakeMachines.Machine("m1")], Stop));
            string before = now;
            now = _machines.Answer("m1");
            Assert.Contains(now, _versions);
            if (!isKilled)
            {
                Assert.NotEqual(before, now);
                break;
            }

            killed++;
            Assert.Null(Assert.Single(await _machines.Open().RollBackAsync([FakeMachines.Machine("m1")], Stop)).Failure);
            now = _machines.Answer("m1");
            Settled(now);
        }

        Assert.True(killed * Stride > 12, $"{killed} kills");
        Settled(now);
    }

    // All of them take a minute.
    private static int Stride => Campaign.Rounds(usual: 9, full: 1);

    private void Settled(string version)
    {
        Assert.Equal(version, _machines.Answer("m1"));
        Assert.Equal(_versions, _machines.Versions("m1"));
        Assert.Equal(
            ["obengine", "versions"],
            Directory.EnumerateFileSystemEntries(_machines.Of("m1", "home/.local/share/obengine")).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
    }

    // Whether a program was to run that was the one.
    private async Task<bool> IsKilledAsync(int step, Func<Task<IReadOnlyList<RemoteResult>>> call)
    {
        File.Delete(_machines.Of("m1", "count"));
        File.Delete(_machines.Of("m1", "killed"));
        foreach (string program in _programs)
        {
            _machines.Replace(
                "m1",
                program,
                $"PATH=${{PATH#*:}}; m={_machines.Of("m1", "")}; n=$(($(cat \"$m/count\" 2>/dev/null || echo 0) + 1)); echo $n > \"$m/count\"\n[ $n != {step} ] || {{ echo $n > \"$m/killed\"; kill -9 -$(cat \"$m/session\"); }}\nexec {program} \"$@\"");
        }

        RemoteResult result = Assert.Single(await call());
        _machines.Restore("m1");

        // The last that runs only tidies up: all has been said then.
        bool isKilled = File.Exists(_machines.Of("m1", "killed"));
        Assert.True(isKilled || result.Failure is null, result.Failure?.Message);
        return isKilled;
    }
}
