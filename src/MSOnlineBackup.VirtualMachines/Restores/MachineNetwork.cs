namespace MSOnlineBackup.VirtualMachines.Restores;

/// <summary>What the network cards of a new machine are connected to.</summary>
public sealed record MachineNetwork
{
    private MachineNetwork(string text, string? bridge) => (Text, Bridge) = (text, bridge);

    /// <summary>Nothing: the cards are there, and no cable. So it never meets the machine that it is made of.</summary>
    public static MachineNetwork None { get; } = new("none", null);

    /// <summary>A network of its own behind this host (QEMU's user network): it reaches others, and nobody reaches it.</summary>
    public static MachineNetwork User { get; } = new("user", null);

    /// <summary>As it is written.</summary>
    public string Text { get; }

    /// <summary>A bridge of this host; null for none.</summary>
    public string? Bridge { get; }

    /// <summary>Reads one: "none", "user", or the name of a bridge; null where it is none of these.</summary>
    public static MachineNetwork? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.ToUpperInvariant() switch
        {
            "NONE" => None,
            "USER" => User,
            _ => text.Length is > 0 and <= 15 && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.') ? new MachineNetwork(text, text) : null,
        };
    }

    /// <inheritdoc/>
    public override string ToString() => Text;
}
