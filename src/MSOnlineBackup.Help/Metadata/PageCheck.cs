using MSOnlineBackup.Help.Markdown;
using MSOnlineBackup.Help.Pages;

namespace MSOnlineBackup.Help.Metadata;

/// <summary>Compares pages with cmdlets, so that help cannot say what is not so.</summary>
internal sealed class PageCheck
{
    private readonly CommandPage _page;
    private readonly CmdletMetadata _cmdlet;
    private readonly List<PageError> _errors = [];

    private PageCheck(CommandPage page, CmdletMetadata cmdlet) => (_page, _cmdlet) = (page, cmdlet);

    public static IReadOnlyList<PageError> Compare(HelpSource source, IReadOnlyList<CmdletMetadata> cmdlets, string folder)
    {
        var errors = new List<PageError>();
        foreach (CmdletMetadata cmdlet in cmdlets)
        {
            CommandPage? page = source.Commands.FirstOrDefault(page => page.Name == cmdlet.Name);
            errors.AddRange(page is null
                ? [new PageError(Path.Combine(folder, cmdlet.Name + ".md"), 1, "The cmdlet has no page.")]
                : new PageCheck(page, cmdlet).Compare());
        }

        errors.AddRange(source.Commands
            .Where(page => cmdlets.All(cmdlet => cmdlet.Name != page.Name))
            .Select(page => new PageError(page.File, page.Line, "There is no such cmdlet.")));
        return errors;
    }

    private List<PageError> Compare()
    {
        // One set needs no name in a page, whatever it is called in the code.
        IReadOnlyList<string> sets = _cmdlet.Sets.Count <= 1 ? [""] : _cmdlet.Sets;
        Require(
            _page.Sets.Select(set => set.Name).Order(StringComparer.Ordinal).SequenceEqual(sets),
            _page.Line,
            $"The cmdlet has the sets: {string.Join(", ", sets)}.");
        foreach (ParameterSet set in _page.Sets.Where(set => sets.Contains(set.Name)))
        {
            Require(
                set.Name.Length == 0 || set.IsDefault == (set.Name == _cmdlet.DefaultSet),
                set.Line,
                $"The default set of the cmdlet is {_cmdlet.DefaultSet ?? "not named"}.");
            CompareSet(set);
        }

        return _errors;
    }

    private void CompareSet(ParameterSet set)
    {
        var described = _page.Parameters.Where(parameter => parameter.In(set) is not null).ToDictionary(parameter => parameter.Name);
        foreach (ParameterMetadata facts in _cmdlet.Parameters)
        {
            // Of two attributes the one that names the set counts.
            ParameterUseMetadata? use = facts.Uses
                .Where(use => use.Set is null || set.Name.Length == 0 || use.Set == set.Name)
                .OrderBy(use => use.Set is null)
                .FirstOrDefault();
            if (use is null)
            {
                continue;
            }

            if (described.Remove(facts.Name, out Parameter? parameter))
            {
                CompareUse(parameter.In(set)!, facts, use);
            }
            else
            {
                Require(false, set.Line, $"The set has a parameter -{facts.Name}, which is not described for it.");
            }
        }

        foreach (Parameter parameter in described.Values)
        {
            string where = set.Name.Length == 0 ? "" : $" in the set {set.Name}";
            Require(false, parameter.Line, $"The cmdlet has no parameter -{parameter.Name}{where}.");
        }
    }

    private void CompareUse(ParameterUse described, ParameterMetadata facts, ParameterUseMetadata use)
    {
        Same("Type", described.Type, facts.Type);
        Same("Aliases", string.Join(", ", described.Aliases), string.Join(", ", facts.Aliases));
        Same("Required", described.IsRequired, use.IsRequired);
        Same("Position", described.Position?.ToString() ?? "Named", use.Position?.ToString() ?? "Named");
        Same(
            "Accept pipeline input",
            described.PipelineInput,
            (described with { ByValue = use.ByValue, ByPropertyName = use.ByPropertyName }).PipelineInput);
        Same("Accept wildcard characters", described.TakesWildcards, facts.TakesWildcards);
        if (facts.AcceptedValues is not null)
        {
            Same("Accepted values", string.Join(", ", described.AcceptedValues), string.Join(", ", facts.AcceptedValues));
        }

        void Same<T>(string key, T has, T should) =>
            Require(Equals(has, should), described.Line, $"'{key}' of -{facts.Name} should be: {should}");
    }

    private void Require(bool condition, int line, string message)
    {
        var error = new PageError(_page.File, line, message);
        if (!condition && !_errors.Contains(error))
        {
            _errors.Add(error);
        }
    }
}
