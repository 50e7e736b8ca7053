using System.Text;
using System.Text.Json;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.GuestAgent;

/// <summary>
/// What the child does that holds the file systems of a guest still: it freezes, says so, and thaws as soon as its input ends, which it does in whatever way the program ends that started it; at the latest
/// when the time is over. It alone has the agent's socket, since that takes one client; under libvirt, which holds that itself, it asks libvirt.
/// </summary>
/// <remarks>
/// It writes one line when they are held still, <c>frozen COUNT SYSTEM</c>, or <c>failed WHY</c>, and then ends; and one when they are let go: <c>thawed held</c>, <c>thawed early</c> where they were held no
/// more before it was to thaw, or <c>stuck WHY</c>.
/// </remarks>
public static class FreezeKeeper
{
    internal const string Frozen = "frozen";
    internal const string Failed = "failed";
    internal const string Thawed = "thawed";
    internal const string Held = "held";
    internal const string Stuck = "stuck";
    internal const string Windows = "mswindows";

    private const string Unknown = "unknown";

    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(500);

    /// <summary>Freezes, waits and thaws.</summary>
    /// <param name="socket">The socket of the guest agent, or what <see cref="VirshAgent.AddressOf"/> gives.</param>
    /// <param name="input">What ends when they are to be let go. What comes is not looked at.</param>
    /// <param name="output">Where it is told.</param>
    /// <param name="limits">How long it may take.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stop">Has it thaw at once.</param>
    /// <returns>Whether nothing is held still any more, as far as is known.</returns>
    public static async Task<bool> RunAsync(string socket, Stream input, Stream output, FreezeLimits limits, TimeProvider time, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(limits);
        try
        {
            IGuestAgent agent = await GuestAgents.ConnectAsync(socket, limits.Answer, time, stop).ConfigureAwait(false);
            await using (agent.ConfigureAwait(false))
            {
                return await HoldAsync(agent, input, output, limits, time, stop).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is BackupException or OperationCanceledException)
        {
            // Nothing was asked of the agent yet that would hold anything.
            await TellAsync(output, Failed, e.Message).ConfigureAwait(false);
            return true;
        }
    }

    /// <summary>Lets go of what may be held still, and asks until the agent says that it is.</summary>
    /// <exception cref="BackupException">GuestNotThawed.</exception>
    internal static async Task ThawAsync(string socket, FreezeLimits limits, TimeProvider time)
    {
        try
        {
            await using IGuestAgent agent = await GuestAgents.ConnectAsync(socket, limits.Answer, time, CancellationToken.None).ConfigureAwait(false);
            if (await ThawAsync(agent, limits, time).ConfigureAwait(false) is { } why)
            {
                throw NotThawed(socket, why);
            }
        }
        catch (BackupException e) when (e.Id != BackupErrorId.GuestNotThawed)
        {
            throw NotThawed(socket, e.Message);
        }
    }

    /// <summary>The error of a guest of which nobody knows that it goes on.</summary>
    internal static BackupException NotThawed(string socket, string why) => new(
        BackupErrorId.GuestNotThawed,
        $"The guest whose agent is at '{socket}' was held still for the backup, and it is not known that it goes on: {why}",
        "In the guest run 'fsfreeze --unfreeze' for its file systems, or restart its agent.",
        socket);

    private static async Task<bool> HoldAsync(IGuestAgent agent, Stream input, Stream output, FreezeLimits limits, TimeProvider time, CancellationToken stop)
    {
        string? failure = null;
        bool mayBeFrozen = false;
        string held = "early";
        try
        {
            await agent.SyncAsync(limits.Answer, stop).ConfigureAwait(false);
            string system = await AskSystemAsync(agent, limits, stop).ConfigureAwait(false);

            // From here on it is thawed whatever comes. It is not stopped while it freezes: the answer would be missed.
            mayBeFrozen = true;
            JsonElement count = await agent.ExecuteAsync("guest-fsfreeze-freeze", limits.Freeze, CancellationToken.None).ConfigureAwait(false);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
            using var late = new CancellationTokenSource(limits.Held, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(end.Token, late.Token);
            await TellAsync(output, Frozen, $"{(count.ValueKind == JsonValueKind.Number && count.TryGetInt32(out int number) ? number : 0)} {system}").ConfigureAwait(false);
            await WaitForEndAsync(input, either.Token).ConfigureAwait(false);
            if (!late.IsCancellationRequested && await IsFrozenAsync(agent, limits).ConfigureAwait(false))
            {
                held = Held;
            }
        }
        catch (Exception e) when (e is BackupException or GuestAgentException or OperationCanceledException)
        {
            failure = e.Message;
        }

        string? stuck = mayBeFrozen ? await ThawAsync(agent, limits, time).ConfigureAwait(false) : null;
        await (stuck is not null ? TellAsync(output, Stuck, stuck)
            : failure is not null ? TellAsync(output, Failed, failure)
            : TellAsync(output, Thawed, held)).ConfigureAwait(false);
        return stuck is null;
    }

    // Which kind of system it is tells what holding still means there. An older agent does not say.
    private static async Task<string> AskSystemAsync(IGuestAgent agent, FreezeLimits limits, CancellationToken stop)
    {
        try
        {
            JsonElement system = await agent.ExecuteAsync("guest-get-osinfo", limits.Answer, stop).ConfigureAwait(false);
            return system.ValueKind == JsonValueKind.Object && system.TryGetProperty("id", out JsonElement id) && $"{id}" is { Length: > 0 } name && !name.Any(char.IsWhiteSpace) ? name : Unknown;
        }
        catch (GuestAgentException)
        {
            return Unknown;
        }
    }

    private static async Task<bool> IsFrozenAsync(IGuestAgent agent, FreezeLimits limits) =>
        (await agent.ExecuteAsync("guest-fsfreeze-status", limits.Answer, CancellationToken.None).ConfigureAwait(false)) is { ValueKind: JsonValueKind.String } status
            && status.GetString() == Frozen;

    // A read of a pipe that is silent may not be stoppable: then it is left, and ends with the process.
    private static async Task WaitForEndAsync(Stream input, CancellationToken stop)
    {
        byte[] buffer = new byte[256];
        try
        {
            while (await Task.Run(() => input.ReadAsync(buffer, stop).AsTask(), CancellationToken.None).WaitAsync(stop).ConfigureAwait(false) > 0)
            {
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The time is over, or whoever holds the other end is gone: either way they are let go.
        }
    }

    // Null where nothing is held still; else why that is not known.
    private static async Task<string?> ThawAsync(IGuestAgent agent, FreezeLimits limits, TimeProvider time)
    {
        long began = time.GetTimestamp();
        while (true)
        {
            string why;
            try
            {
                // What was not answered in time comes first, and the freeze that it may have been.
                await agent.SyncAsync(limits.Thaw, CancellationToken.None).ConfigureAwait(false);
                await agent.ExecuteAsync("guest-fsfreeze-thaw", limits.Thaw, CancellationToken.None).ConfigureAwait(false);
                if (!await IsFrozenAsync(agent, limits).ConfigureAwait(false))
                {
                    return null;
                }

                why = "the guest agent says that file systems are held still";
            }
            catch (GuestAgentException e)
            {
                why = e.Message;
                try
                {
                    if (!await IsFrozenAsync(agent, limits).ConfigureAwait(false))
                    {
                        return null;
                    }
                }
                catch (Exception f) when (f is GuestAgentException or BackupException)
                {
                    why = f.Message;
                }
            }
            catch (BackupException e)
            {
                why = e.Message;
            }

            if (time.GetElapsedTime(began) >= limits.Thaw)
            {
                return why;
            }

            await Task.Delay(_pause, time, CancellationToken.None).ConfigureAwait(false);
        }
    }

    // Whoever is to be told may be gone: what is done here does not depend on that.
    private static async Task TellAsync(Stream output, string word, string text)
    {
        try
        {
            await output.WriteAsync(Encoding.UTF8.GetBytes($"{word} {text.ReplaceLineEndings(" ")}\n"), CancellationToken.None).ConfigureAwait(false);
            await output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (IOException)
        {
            return;
        }
    }
}
