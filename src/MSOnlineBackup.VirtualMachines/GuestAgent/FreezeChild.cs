using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.GuestAgent;

/// <summary>Has a child hold the guest still (<see cref="FreezeKeeper"/>): it lets go where this process is killed.</summary>
/// <param name="command">What the child is: a program and its arguments, to which the agent's socket is added. It runs <see cref="FreezeKeeper.RunAsync"/> with its standard input and output.</param>
/// <param name="time">The clock.</param>
public sealed class FreezeChild(IReadOnlyList<string> command, TimeProvider time) : IGuestFreezer
{
    // What the child needs to start, beside the times that it keeps itself.
    private static readonly TimeSpan _start = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public async Task<IGuestFreeze> FreezeAsync(string agentSocket, FreezeLimits limits, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(limits);
        var start = new ProcessStartInfo(command[0], [.. command.Skip(1), agentSocket]) { RedirectStandardInput = true, RedirectStandardOutput = true };

        // The runtime's sockets for debuggers stay in the temporary folder where a process is killed.
        start.Environment.TryAdd("DOTNET_EnableDiagnostics", "0");
        Process child;
        try
        {
            child = Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw NotFrozen(agentSocket, $"'{command[0]}', which sees to it that it goes on, cannot be started: {e.Message}");
        }

        var held = new HeldGuest(child, agentSocket, limits, time);
        try
        {
            string line = await held.ReadAsync(_start + limits.Answer + limits.Answer + limits.Freeze, cancellationToken).ConfigureAwait(false) ?? "";
            if (line.Split(' ') is [FreezeKeeper.Frozen, var count, var system] && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            {
                (held.FileSystems, held.IsWindows) = (number, system == FreezeKeeper.Windows);
                return held;
            }

            // Where the child was killed, it is not known whether it had frozen.
            await held.DisposeAsync().ConfigureAwait(false);
            throw line.StartsWith(FreezeKeeper.Stuck, StringComparison.Ordinal) ? FreezeKeeper.NotThawed(agentSocket, line[FreezeKeeper.Stuck.Length..].Trim())
                : NotFrozen(agentSocket, line.StartsWith(FreezeKeeper.Failed, StringComparison.Ordinal) ? line[FreezeKeeper.Failed.Length..].Trim() : "the child that holds it ended");
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException)
        {
            await held.DisposeAsync().ConfigureAwait(false);
            throw e is TimeoutException ? NotFrozen(agentSocket, "the child that holds it does not answer") : e;
        }
    }

    private static BackupException NotFrozen(string socket, string why) => new(
        BackupErrorId.GuestNotFrozen,
        $"The guest whose agent is at '{socket}' was not held still: {why}",
        "See to the guest agent in the guest (qemu-guest-agent), and to what it says.",
        socket);

    private sealed class HeldGuest(Process child, string socket, FreezeLimits limits, TimeProvider time) : IGuestFreeze
    {
        private Task<string?>? _reading;
        private bool _isOver;

        public int FileSystems { get; set; }

        public bool IsWindows { get; set; }

        // A read that was given up goes on, and its line is that of the next.
        public async Task<string?> ReadAsync(TimeSpan patience, CancellationToken cancellationToken)
        {
            _reading ??= child.StandardOutput.ReadLineAsync(CancellationToken.None).AsTask();
            string? line = await _reading.WaitAsync(patience, time, cancellationToken).ConfigureAwait(false);
            _reading = null;

            // What it says when it ends by itself is the last that it says.
            _isOver |= line is not null && !line.StartsWith(FreezeKeeper.Frozen, StringComparison.Ordinal);
            return line;
        }

        public async Task<bool> ThawAsync()
        {
            if (_isOver)
            {
                return false;
            }

            string? line;
            try
            {
                child.StandardInput.Close();
                do
                {
                    line = await ReadAsync(limits.Freeze + limits.Thaw + limits.Thaw, CancellationToken.None).ConfigureAwait(false);
                }
                while (line is not null && !_isOver);
            }
            catch (Exception e) when (e is IOException or TimeoutException)
            {
                line = null;
            }

            _isOver = true;
            switch (line?.Split(' '))
            {
                case [FreezeKeeper.Thawed, var how]:
                    return how == FreezeKeeper.Held;
                case [FreezeKeeper.Failed, ..]:
                    return false;
                case [FreezeKeeper.Stuck, .. var why]:
                    throw FreezeKeeper.NotThawed(socket, string.Join(' ', why));
                default:
                    // The child was killed, and could not: what it was to do is done here.
                    if (!child.HasExited)
                    {
                        child.Kill();
                    }

                    await FreezeKeeper.ThawAsync(socket, limits, time).ConfigureAwait(false);
                    return false;
            }
        }

        public async ValueTask DisposeAsync()
        {
            try
            {
                await ThawAsync().ConfigureAwait(false);
            }
            finally
            {
                child.Dispose();
            }
        }
    }
}
