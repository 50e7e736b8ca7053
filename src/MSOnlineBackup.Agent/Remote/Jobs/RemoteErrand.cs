using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Pipes;

namespace MSOnlineBackup.Agent.Remote.Jobs;

/// <summary>What a server gives one machine to do, and what it has heard of it. The key leaves it only for an agent that understands the order.</summary>
/// <param name="host">The machine.</param>
/// <param name="order">The order.</param>
/// <param name="key">What opens the chunk store.</param>
/// <param name="heard">Called for each notice, with how far the machine is, where it says so.</param>
internal sealed class RemoteErrand(string host, RemoteOrderMessage order, UnlockedKey key, Action<RemoteNotice> heard) : IPipeErrand
{
    private const int MostKept = 100;

    private static readonly byte[] _goOn = [0];
    private static readonly byte[] _stop = [1];

    private readonly Lock _gate = new();
    private readonly List<RemoteSaying> _sayings = [];
    private volatile bool _isStopWanted;

    /// <summary>The version of the agent; null where it has not asked for its order.</summary>
    public string? AgentVersion { get; private set; }

    /// <summary>Why it was given no order; null where it was, or has not asked.</summary>
    public BackupException? Refusal { get; private set; }

    /// <summary>Whether it has its order.</summary>
    public bool IsGiven => AgentVersion is not null && Refusal is null;

    /// <summary>How it says that it ended; null where it has not.</summary>
    public RemoteEnding? End { get; private set; }

    /// <summary>What it has said, the first hundred of each kind.</summary>
    public IReadOnlyList<RemoteSaying> Sayings
    {
        get
        {
            lock (_gate)
            {
                return [.. _sayings];
            }
        }
    }

    /// <summary>Has the machine end its job in order, when it next tells anything.</summary>
    public void Stop() => _isStopWanted = true;

    /// <inheritdoc/>
    public byte[] Give(ReadOnlySpan<byte> asked)
    {
        try
        {
            var hello = RemoteHello.Decode(asked);
            AgentVersion = hello.AgentVersion;
            return hello.Least <= RemoteOrderMessage.Version && hello.Most >= RemoteOrderMessage.Version
                ? order.Encode(key)
                : throw RemoteErrors.VersionDiffers(host, $"has version {hello.AgentVersion}, which takes orders of version {hello.Least} to {hello.Most}, and this one gives {RemoteOrderMessage.Version}");
        }
        catch (BackupException e)
        {
            Refusal = e;
            throw;
        }
    }

    /// <inheritdoc/>
    public byte[] Hear(ReadOnlySpan<byte> said)
    {
        var notice = RemoteNotice.Decode(said);
        lock (_gate)
        {
            foreach (RemoteSaying saying in notice.Sayings.Where(saying => _sayings.Count(known => known.Kind == saying.Kind) < MostKept))
            {
                _sayings.Add(saying);
            }
        }

        // The first word holds.
        End ??= notice.End;
        heard(notice);
        return _isStopWanted ? _stop : _goOn;
    }

    /// <summary>Whether an answer asks for the end of the job.</summary>
    public static bool AsksToStop(ReadOnlySpan<byte> answer) => answer.SequenceEqual(_stop);
}
