using System.IO.Pipelines;
using System.Text;
using MSOnlineBackup.Testing;
using MSOnlineBackup.VirtualMachines.GuestAgent;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.GuestAgent;

/// <summary>Whoever holds a guest still lets go of it, whatever comes.</summary>
public sealed class FreezeKeeperTests : IDisposable
{
    private static readonly FreezeLimits _limits = new() { Answer = TimeSpan.FromSeconds(30) };

    private readonly Pipe _input = new();
    private readonly MemoryStream _output = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Output => Encoding.UTF8.GetString(_output.ToArray());

    public void Dispose() => _output.Dispose();

    [Fact]
    public async Task It_is_held_until_the_input_ends()
    {
        await using var agent = new GuestAgentDouble { Stale = "{\"return\": 5}\n{\"half\": " };
        Task<bool> keeping = KeepAsync(agent, _limits, TimeProvider.System);
        await agent.WaitAsync(one => one.IsFrozen, Stop);

        await _input.Writer.CompleteAsync();

        Assert.True(await keeping);
        Assert.False(agent.IsFrozen);
        Assert.Equal("frozen 2 debian\nthawed held\n", Output);
        Assert.Equal(["guest-get-osinfo", "guest-fsfreeze-freeze", "guest-fsfreeze-status", "guest-fsfreeze-thaw", "guest-fsfreeze-status"], agent.Commands);
    }

    [Fact]
    public async Task It_is_let_go_when_the_time_is_over_though_the_input_goes_on()
    {
        var clock = new FakeClock();
        await using var agent = new GuestAgentDouble();
        Task<bool> keeping = KeepAsync(agent, _limits, clock);
        while (!keeping.IsCompleted)
        {
            // The time begins when it is said that it is held.
            if (Output.Length > 0)
            {
                clock.Advance(TimeSpan.FromSeconds(10));
            }

            await Task.Delay(5, Stop);
        }

        Assert.True(await keeping);
        Assert.False(agent.IsFrozen);
        Assert.Equal("frozen 2 debian\nthawed early\n", Output);
        Assert.Contains("guest-fsfreeze-thaw", agent.Commands);
    }

    [Fact]
    public async Task It_is_let_go_when_it_is_told_to_stop()
    {
        using var stop = new CancellationTokenSource();
        await using var agent = new GuestAgentDouble();
        Task<bool> keeping = FreezeKeeper.RunAsync(agent.Socket, _input.Reader.AsStream(), _output, _limits, TimeProvider.System, stop.Token);
        await agent.WaitAsync(one => one.IsFrozen, Stop);

        await stop.CancelAsync();

        Assert.True(await keeping);
        Assert.False(agent.IsFrozen);
    }

    [Fact]
    public async Task What_lets_go_by_itself_was_not_held()
    {
        await using var agent = new GuestAgentDouble { System = "mswindows", LetsGo = true };
        await _input.Writer.CompleteAsync();

        Assert.True(await KeepAsync(agent, _limits, TimeProvider.System));

        Assert.Equal("frozen 2 mswindows\nthawed early\n", Output);
    }

    [Fact]
    public async Task A_script_of_the_guest_that_fails_is_told_and_the_guest_goes_on()
    {
        await using var agent = new GuestAgentDouble { System = null };
        agent.Refusals.Add(("guest-fsfreeze-freeze", "hook failed"));

        Assert.True(await KeepAsync(agent, _limits, TimeProvider.System));

        Assert.Equal("failed the guest agent refused 'guest-fsfreeze-freeze': hook failed\n", Output);
        Assert.Equal("guest-fsfreeze-thaw", agent.Commands[^2]);
    }

    [Fact]
    public async Task A_freeze_that_comes_too_late_is_let_go_as_soon_as_it_comes()
    {
        var slow = new TaskCompletionSource();
        await using var agent = new GuestAgentDouble { Delay = ("guest-fsfreeze-freeze", slow.Task) };
        Task<bool> keeping = KeepAsync(agent, _limits with { Freeze = TimeSpan.FromMilliseconds(100) }, TimeProvider.System);
        await agent.WaitAsync(one => one.Commands.Count > 0, Stop);
        await Task.Delay(200, Stop);

        slow.SetResult();

        Assert.True(await keeping);
        Assert.False(agent.IsFrozen);
        Assert.Contains("guest-fsfreeze-freeze", agent.Commands);
        Assert.StartsWith("failed ", Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_tried_again_where_it_cannot_be_let_go()
    {
        await using var agent = new GuestAgentDouble();
        agent.Refusals.Add(("guest-fsfreeze-thaw", "not now"));
        await _input.Writer.CompleteAsync();

        Assert.True(await KeepAsync(agent, _limits, TimeProvider.System));

        Assert.False(agent.IsFrozen);
        Assert.Equal(2, agent.Commands.Count(command => command == "guest-fsfreeze-thaw"));
        Assert.Equal("frozen 2 debian\nthawed held\n", Output);
    }

    [Fact]
    public async Task What_cannot_be_let_go_is_told()
    {
        await using var agent = new GuestAgentDouble();
        agent.Refusals.AddRange(Enumerable.Repeat(("guest-fsfreeze-thaw", "never"), 100));
        await _input.Writer.CompleteAsync();

        Assert.False(await KeepAsync(agent, _limits with { Thaw = TimeSpan.FromMilliseconds(100) }, TimeProvider.System));

        Assert.Equal("frozen 2 debian\nstuck the guest agent refused 'guest-fsfreeze-thaw': never\n", Output);
    }

    [Fact]
    public async Task Nobody_behind_the_line_is_asked_for_nothing()
    {
        await using var agent = new GuestAgentDouble { IsSilent = true };

        Assert.True(await KeepAsync(agent, new FreezeLimits { Answer = TimeSpan.FromMilliseconds(100) }, TimeProvider.System));

        Assert.StartsWith("failed The guest agent at", Output, StringComparison.Ordinal);
        Assert.Empty(agent.Commands);
    }

    [Theory]
    [InlineData("no socket")]
    [InlineData("5")]
    [InlineData("\u00ff{\"return\"")]
    public async Task What_is_no_agent_is_told(string said)
    {
        await using var server = new SocketServer(async (stream, stop) => await stream.WriteAsync(Encoding.Latin1.GetBytes(said + "\n"), stop));
        string socket = said == "no socket" ? "/nonexistent/agent" : server.Path;

        Assert.True(await FreezeKeeper.RunAsync(socket, _input.Reader.AsStream(), _output, _limits, TimeProvider.System, Stop));

        Assert.StartsWith("failed ", Output, StringComparison.Ordinal);
    }

    private Task<bool> KeepAsync(GuestAgentDouble agent, FreezeLimits limits, TimeProvider time) =>
        FreezeKeeper.RunAsync(agent.Socket, _input.Reader.AsStream(), _output, limits, time, Stop);
}
