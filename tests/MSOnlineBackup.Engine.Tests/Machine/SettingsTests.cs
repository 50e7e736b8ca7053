using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Machine.AgentFixture;

namespace MSOnlineBackup.Engine.Tests.Machine;

public sealed class SettingsTests : IDisposable
{
    private static readonly ProxySetting _proxy = new("proxy.example", 3128, "backup", "the proxy's secret ä");

    private readonly AgentFixture _agents = new();

    private string File => Path.Combine(_agents.State, "settings.json");

    public void Dispose() => _agents.Dispose();

    [Fact]
    public void Without_settings_there_is_neither_proxy_nor_limit() =>
        Assert.Equal(new MachineSettings(), _agents.Open().Machine.Settings);

    [Fact]
    public void Settings_come_back_and_the_password_stands_nowhere()
    {
        var throttle = new ThrottleSetting([DayOfWeek.Monday, DayOfWeek.Friday], TimeSpan.FromHours(9), TimeSpan.FromHours(17), 1_000_000, 2_000_000);

        _agents.Open().Machine.Update(_ => new MachineSettings { Proxy = _proxy, Throttle = throttle });

        MachineSettings read = _agents.Open().Machine.Settings;
        Assert.Equal(_proxy, read.Proxy);
        Assert.Equal(throttle.WorkDays, read.Throttle!.WorkDays);
        Assert.Equal(throttle with { WorkDays = [] }, read.Throttle with { WorkDays = [] });
        Assert.DoesNotContain("secret", System.IO.File.ReadAllText(File), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", read.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_is_bound_to_its_proxy()
    {
        _agents.Open().Machine.Update(settings => settings with { Proxy = _proxy });
        System.IO.File.WriteAllText(File, System.IO.File.ReadAllText(File).Replace("proxy.example", "thief.example", StringComparison.Ordinal));

        Assert.Equal(BackupErrorId.StateInvalid, Assert.Throws<BackupException>(() => _agents.Open().Machine.Settings).Id);
    }

    [Fact]
    public async Task No_change_of_two_agents_is_lost()
    {
        BackupAgent[] agents = [_agents.Open(), _agents.Open()];
        agents[0].Machine.Update(settings => settings with { Proxy = new ProxySetting("p", 1) });

        await Parallel.ForEachAsync(Enumerable.Range(0, 40), Cancel, (i, _) =>
        {
            agents[i % 2].Machine.Update(settings => settings with { Proxy = settings.Proxy! with { Port = settings.Proxy.Port + 1 } });
            return ValueTask.CompletedTask;
        });

        Assert.Equal(41, agents[0].Machine.Settings.Proxy!.Port);
    }

    [Theory]
    [InlineData("", 80)]
    [InlineData("proxy", 0)]
    [InlineData("proxy", 65536)]
    [InlineData("proxy:8080", 8080)]
    [InlineData("not a name", 8080)]
    public void What_is_no_proxy_is_refused(string server, int port)
    {
        BackupException fault =
            Assert.Throws<BackupException>(() => _agents.Open().Machine.Update(_ => new MachineSettings { Proxy = new ProxySetting(server, port) }));

        Assert.Equal(BackupErrorId.ArgumentInvalid, fault.Id);
        Assert.Equal(new MachineSettings(), _agents.Open().Machine.Settings);
    }

    [Theory]
    [InlineData("ann:hidden@proxy")]
    [InlineData("http://ann:hidden@proxy/")]
    public void A_password_within_the_proxys_server_is_refused_and_not_repeated(string server)
    {
        BackupException fault = Assert.Throws<BackupException>(
            () => _agents.Open().Machine.Update(_ => new MachineSettings { Proxy = new ProxySetting(server, 8080) }));

        Assert.Equal(BackupErrorId.ArgumentInvalid, fault.Id);
        Assert.DoesNotContain("hidden", fault.ToString() + fault.Target, StringComparison.Ordinal);
        Assert.Null(_agents.Open().Machine.Settings.Proxy);
    }

    [Fact]
    public void A_proxys_password_without_a_name_is_refused()
    {
        BackupException fault = Assert.Throws<BackupException>(
            () => _agents.Open().Machine.Update(_ => new MachineSettings { Proxy = new ProxySetting("proxy", 8080, "", "hidden") }));

        Assert.Equal(BackupErrorId.ArgumentInvalid, fault.Id);
    }

    [Fact]
    public void Work_hours_that_are_no_whole_seconds_are_refused()
    {
        var throttle = new ThrottleSetting([DayOfWeek.Monday], TimeSpan.FromTicks(8), TimeSpan.FromTicks(18), 1_000_000, 1_000_000);

        Assert.Equal(
            BackupErrorId.ArgumentInvalid,
            Assert.Throws<BackupException>(() => _agents.Open().Machine.Update(_ => new MachineSettings { Throttle = throttle })).Id);
    }

    [Fact]
    public void A_bandwidth_out_of_range_is_refused()
    {
        var throttle = new ThrottleSetting([], TimeSpan.Zero, TimeSpan.Zero, 1_000_000, 511_999);

        BackupException fault = Assert.Throws<BackupException>(() => _agents.Open().Machine.Update(_ => new MachineSettings { Throttle = throttle }));

        Assert.Equal(BackupErrorId.PolicyLimitExceeded, fault.Id);
    }

    [Theory]
    [InlineData(-1, 60)]
    [InlineData(1440, 60)]
    [InlineData(0, -1)]
    [InlineData(0, 1441)]
    public void Work_hours_outside_a_day_are_refused(int start, int end)
    {
        var throttle = new ThrottleSetting([DayOfWeek.Monday], TimeSpan.FromMinutes(start), TimeSpan.FromMinutes(end), 1_000_000, 1_000_000);

        BackupException fault = Assert.Throws<BackupException>(() => _agents.Open().Machine.Update(_ => new MachineSettings { Throttle = throttle }));

        Assert.Equal(BackupErrorId.ArgumentInvalid, fault.Id);
        Assert.Null(_agents.Open().Machine.Settings.Throttle);
    }
}
