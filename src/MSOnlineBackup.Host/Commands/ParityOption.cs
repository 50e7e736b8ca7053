using System.CommandLine;
using System.Globalization;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>--parity</c>: how much parity a vault keeps.</summary>
internal sealed class ParityOption
{
    private readonly Option<string?> _option = new("--parity")
    {
        HelpName = "PERCENT",
        Description = "Let maintenance keep so much parity beside what is stored, by which packs that are damaged or lost are brought back: "
            + $"{VaultSettings.LeastParityPercent} to {VaultSettings.MostParityPercent}, or 0 for none.",
    };

    public ParityOption(Command command) => command.Add(_option);

    /// <summary>What was asked for; null where nothing was.</summary>
    public int? Read(CommandContext context) => context.Get(_option) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int percent)
            && percent is 0 or (>= VaultSettings.LeastParityPercent and <= VaultSettings.MostParityPercent)
            ? percent
            : throw context.Invalid(
                $"'{text}' is no share of parity.", $"Write a number from {VaultSettings.LeastParityPercent} to {VaultSettings.MostParityPercent}, "
                    + "without a sign, or 0 for none.", text);
}
