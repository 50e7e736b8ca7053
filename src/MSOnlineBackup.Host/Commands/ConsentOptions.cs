using System.CommandLine;
using MSOnlineBackup.Vaults.Protection;

namespace MSOnlineBackup.Host.Commands;

/// <summary>What a vault may ask for before what destroys: the options of every such command.</summary>
internal sealed class ConsentOptions
{
    private readonly Option<string?> _pin = new("--pin")
    {
        HelpName = "PIN",
        Description = "A security PIN of the vault's owner, where the vault asks for one. 'obengine owner pin' gives it out.",
    };

    private readonly Option<string?> _approval = new("--approval")
    {
        HelpName = "CODE",
        Description = "The code of an approver, where the vault has approvers.",
    };

    public ConsentOptions(Command command)
    {
        command.Add(_pin);
        command.Add(_approval);
    }

    /// <summary>What was given.</summary>
    public Consent Read(CommandContext context) => new(context.Get(_pin), context.Get(_approval));
}
